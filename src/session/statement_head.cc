#include "session/statement_head.h"

#include <algorithm>

#include "base/assert.h"
#include "session/ascii_case.h"

namespace pgweir::session {

namespace {

constexpr std::size_t kNameBytesMax = 63;  // NAMEDATALEN - 1.

std::string unquote(std::string_view quoted) {
  std::string name;
  for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
    name += quoted[i];
    if (quoted[i] == '"') ++i;  // Written twice.
  }
  return name;
}

}  // namespace

bool is_word(const Token& token, std::string_view word) {
  return token.kind == TokenKind::Word && !token.is_cut && is_same_folded(token.text, word);
}

bool is_symbol(const Token& token, char symbol) {
  return token.kind == TokenKind::Symbol && !token.is_cut && token.text.front() == symbol;
}

std::string name_of(const Token& token) {
  if (token.is_cut) return {};
  std::string name;
  if (token.kind == TokenKind::QuotedName) {
    name = unquote(token.text);
  } else if (token.kind == TokenKind::Word) {
    name = folded(token.text);
  }
  if (name.size() > kNameBytesMax) name.clear();
  return name;
}

Token StatementHead::token(std::size_t index) const {
  ASSERT(index < token_count_);
  const Stored& stored = tokens_[index];
  return {.kind = stored.kind,
          .is_cut = stored.is_cut,
          .text = std::string_view(text_.data() + stored.offset, stored.bytes)};
}

void StatementHead::clear() {
  is_empty_ = true;
  is_cut_ = false;
  is_set_ = false;
  is_storing_ = false;
  token_count_ = 0;
  text_bytes_ = 0;
}

void StatementHead::begin_token(TokenKind kind) {
  is_empty_ = false;
  is_storing_ = token_count_ < token_count_max();
  if (!is_storing_) {
    is_cut_ = true;
    return;
  }
  tokens_[token_count_++] = {.kind = kind, .is_cut = false, .offset = text_bytes_, .bytes = 0};
}

void StatementHead::store(std::string_view bytes) {
  Stored& token = tokens_[token_count_ - 1U];
  // Twelve tokens of this size leave most of the buffer free; only SET may use it all.
  const std::size_t room = is_set_ ? text_.size() - text_bytes_ : kTokenBytesMax - token.bytes;
  const std::size_t taken = std::min(room, bytes.size());
  std::copy_n(bytes.data(), taken, text_.data() + text_bytes_);
  text_bytes_ = static_cast<std::uint16_t>(text_bytes_ + taken);
  token.bytes = static_cast<std::uint16_t>(token.bytes + taken);
  if (taken < bytes.size()) {
    token.is_cut = true;
    is_cut_ = true;
  }
}

void StatementHead::retype(TokenKind kind) {
  if (is_storing_) tokens_[token_count_ - 1U].kind = kind;
}

void StatementHead::handle_first_token() {
  const Token first = token(0);
  is_set_ = is_word(first, "set");
  if (is_symbol(first, '(')) {
    token_count_ = 0;
    text_bytes_ = 0;
  }
}

}  // namespace pgweir::session
