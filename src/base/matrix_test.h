// Matrix: what a state machine does in each of its states at each event, written down as a table of
// words and held against what it really does. A test gives the table and one function that plays a
// single cell; a row, a column or a cell that is missing or too many fails.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace pgweir::base {

// The names of an enumeration's values, which count from 0, as `name_of` has them. It is a switch
// over all of them without a default that returns nothing for any other number, so that the
// compiler asks for the name of a new one, and the table then for its row or column.
template <class Enum>
std::vector<std::string_view> names_of(std::string_view (*name_of)(Enum)) {
  std::vector<std::string_view> names;
  while (!name_of(static_cast<Enum>(names.size())).empty()) {
    names.push_back(name_of(static_cast<Enum>(names.size())));
  }
  return names;
}

// The names of what a test has listed.
template <class Named>
std::vector<std::string_view> names_of(const std::vector<Named>& all) {
  std::vector<std::string_view> names;
  for (const Named& one : all) names.push_back(one.name);
  return names;
}

using PlayCell = std::function<std::string(std::size_t row, std::size_t column)>;

// Of each line that is not empty, its words.
inline std::vector<std::vector<std::string>> words_of(std::string_view table) {
  std::vector<std::vector<std::string>> lines;
  std::istringstream text{std::string(table)};
  for (std::string line; std::getline(text, line);) {
    std::istringstream words(line);
    std::vector<std::string> cells;
    for (std::string word; words >> word;) cells.push_back(word);
    if (!cells.empty()) lines.push_back(cells);
  }
  return lines;
}

// EXPECT_DEATH alone nests as deep as a function may not.
// NOLINTNEXTLINE(readability-function-size)
inline void expect_cell(const std::string& expected, const std::string& where,
                        const std::function<std::string()>& play) {
  const testing::ScopedTrace trace(__FILE__, __LINE__, where);
  if (expected != "dies") {
    EXPECT_EQ(play(), expected) << where;
    return;
  }
  EXPECT_DEATH(play(), "assertion failed") << where;
}

// table: in its first line the columns' names, in each other line a row's name and its cells.
// play: makes a fresh machine, brings it to where the cell is, and returns what it did in one word.
// The word `dies` stands for what the machine's REQUIRES forbid.
inline void expect_matrix(std::string_view table, const std::vector<std::string_view>& rows,
                          const std::vector<std::string_view>& columns, const PlayCell& play) {
  const std::vector<std::vector<std::string>> lines = words_of(table);
  ASSERT_EQ(lines.size(), rows.size() + 1) << "a row for each state";
  ASSERT_EQ(lines[0], std::vector<std::string>(columns.begin(), columns.end()));
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const std::vector<std::string>& line = lines[row + 1];
    ASSERT_EQ(line.front(), rows[row]);
    ASSERT_EQ(line.size(), columns.size() + 1) << "a cell for each column of " << rows[row];
    for (std::size_t column = 0; column < columns.size(); ++column) {
      expect_cell(line[column + 1], std::string(rows[row]) + " x " + std::string(columns[column]),
                  [&] { return play(row, column); });
    }
  }
}

}  // namespace pgweir::base
