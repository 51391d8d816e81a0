// SetConfigCall: what each token makes of a call at each place in it, and what is left of a call
// for each parameter and each way to write the rest.
// Source of truth: the manual's set_config ("System Administration Functions"), and guc_tables.c
// for the parameters that are not like the others.

#include <gtest/gtest.h>

#include <map>

#include "base/matrix_test.h"
#include "session/set_config_call.h"
#include "session/tokens_test.h"

namespace pgweir::session {
namespace {

void read(SetConfigCall& call, std::string_view text) {
  for (const TextToken& token : tokens_of(std::string(text))) {
    if (call.is_open()) call.handle_token(token.kind, token.text);
  }
}

std::string outcome(const SetConfigCall& call) {
  static const std::map<PinReason, std::string> kPins{
      {PinReason::SetConfig, "lasts"}, {PinReason::NotUnderstood, "?"},
      {PinReason::RandomSeed, "seed"}, {PinReason::TemporarySchema, "temp"},
      {PinReason::SetRole, "role"},    {PinReason::SessionAuthorization, "user"},
  };
  if (call.is_open()) return "open";
  if (call.pin_reason()) return kPins.at(*call.pin_reason());
  if (call.taint_reason()) return kPins.at(*call.taint_reason()) + "?";
  return call.reads_otherwise() ? "reads" : "-";
}

struct Place {
  std::string_view name;
  std::string_view before;  // Of the call, behind its name.
  std::string_view behind;  // What makes it whole, were it not for the token between.
};
const std::vector<Place> kPlaces{
    {"BehindName", "", "'a', 'b', true)"},
    {"Parameter", "(", ", 'b', true)"},
    {"ParameterRead", "('a'", ", 'b', true)"},
    {"ParameterInside", "((", "), 'b', true)"},
    {"Value", "('a',", "'b', true)"},
    {"ValueInside", "('a', (", "), true)"},
    {"Local", "('a', 'b',", ")"},
    {"LocalRead", "('a', 'b', true", ")"},
    {"LocalInside", "('a', 'b', (", "))"},
    {"Fourth", "('a', 'b', true,", ")"},
    {"Over", "('a', 'b', false)", ""},
};
// `begin` is the name of the function, once more.
const std::vector<std::string_view> kTokens{
    "x", "true", "'a'", "e'a'", "b'1'", "1", "\"x\"", "u&\"x\"", "(", ")", ",", ".", "begin"};

void happen(SetConfigCall& call, std::string_view token) {
  if (token == "begin") {
    call.begin();
    read(call, "('a', 'b', true)");
    return;
  }
  const TextToken only = tokens_of(std::string(token)).at(0);
  call.handle_token(only.kind, only.text);
}

std::string play_token(const Place& place, std::string_view token) {
  SetConfigCall call;
  call.begin();
  read(call, place.before);
  happen(call, token);
  read(call, place.behind);
  return outcome(call);
}

struct Text {
  std::string_view name;
  std::string_view text;
};
const std::vector<Text> kParameters{
    {"Computed", "f()"},
    {"Asked", "$1"},
    {"Escaped", "e'seed'"},
    {"Backslash", "'s\\145ed'"},
    {"Joined", "'se' || 'ed'"},
    {"Seed", "'seed'"},
    {"Role", "'role'"},
    {"User", "'session_authorization'"},
    {"SearchPath", "'search_path'"},
    {"TimeZone", "'timezone'"},
    {"WorkMem", "'work_mem'"},
};
const std::vector<Text> kRests{
    {"Local", ", 'b', true)"},
    {"Session", ", 'b', false)"},
    {"Asked", ", 'b', $1)"},
    {"Negated", ", 'b', not true)"},
    {"Named", ", 'b', a => true)"},
    {"Text", ", 'b', 'true')"},
    {"NoLocal", ", 'b')"},
    {"NoValue", ")"},
    {"Temp", ", 'x, pg_temp', true)"},
    {"TempInside", ", f(('pg_temp')), true)"},
};

std::string play_rest(const Text& parameter, const Text& rest) {
  SetConfigCall call;
  call.begin();
  read(call, "(");
  read(call, parameter.text);
  read(call, rest.text);
  return outcome(call);
}

//   open   the call is not over               -      it leaves nothing behind
//   lasts  it pins: the value may outlive the transaction
//   ?, seed, temp, role, user   it pins for what nobody knows, the random seed, what is created in
//          pg_temp, the role or the session's user
//   seed?  it may have set the seed           reads  literals may mean something else meanwhile
TEST(SetConfigCallMatrix, every_token_at_every_place) {
  base::expect_matrix(
      R"(
                    x     true  'a'   e'a'  b'1'  1     "x"   u&"x" (    )     ,     .     begin
    BehindName      lasts lasts lasts lasts lasts lasts lasts lasts -    lasts lasts lasts -
    Parameter       seed? seed? -     seed? seed? seed? seed? seed? open ?     ?     seed? -
    ParameterRead   seed? seed? seed? seed? seed? seed? seed? seed? open lasts lasts seed? -
    ParameterInside seed? seed? seed? seed? seed? seed? seed? seed? open ?     seed? seed? -
    Value           -     -     -     -     -     -     -     -     open lasts lasts -     -
    ValueInside     -     -     -     -     -     -     -     -     open lasts -     -     -
    Local           lasts -     lasts lasts lasts lasts lasts lasts open lasts lasts lasts -
    LocalRead       lasts lasts lasts lasts lasts lasts lasts lasts open -     lasts lasts -
    LocalInside     lasts lasts lasts lasts lasts lasts lasts lasts open lasts lasts lasts -
    Fourth          lasts lasts lasts lasts lasts lasts lasts lasts open lasts lasts lasts -
    Over            dies  dies  dies  dies  dies  dies  dies  dies  dies dies  dies  dies  -
  )",
      base::names_of(kPlaces), kTokens, [](std::size_t place, std::size_t token) {
        return play_token(kPlaces[place], kTokens[token]);
      });
}

TEST(SetConfigCallMatrix, every_parameter_and_every_rest_of_a_call) {
  base::expect_matrix(
      R"(
               Local Session Asked Negated Named Text  NoLocal NoValue Temp  TempInside
    Computed   seed? ?       ?     ?       ?     ?     ?       ?       seed? seed?
    Asked      seed? ?       ?     ?       ?     ?     ?       ?       seed? seed?
    Escaped    seed? ?       ?     ?       ?     ?     ?       ?       seed? seed?
    Backslash  seed? ?       ?     ?       ?     ?     ?       ?       seed? seed?
    Joined     seed? ?       ?     ?       ?     ?     ?       ?       seed? seed?
    Seed       seed  seed    seed  seed    seed  seed  seed    seed    seed  seed
    Role       -     role    role  role    role  role  role    role    -     -
    User       -     user    user  user    user  user  user    user    -     -
    SearchPath -     lasts   lasts lasts   lasts lasts lasts   lasts   temp  temp
    TimeZone   reads lasts   lasts lasts   lasts lasts lasts   lasts   reads reads
    WorkMem    -     lasts   lasts lasts   lasts lasts lasts   lasts   -     -
  )",
      base::names_of(kParameters), base::names_of(kRests),
      [](std::size_t parameter, std::size_t rest) {
        return play_rest(kParameters[parameter], kRests[rest]);
      });
}

}  // namespace
}  // namespace pgweir::session
