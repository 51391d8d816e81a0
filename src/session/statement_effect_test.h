// For the tests of StatementEffects: what a text is found to do, as one line, whether it is looked
// at whole, cut in two at any byte, or byte by byte.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "session/statement_effect.h"

namespace pgweir::session {

inline std::string describe(const StatementEffect& effect) {
  switch (effect.kind) {
    case EffectKind::None: return "none";
    case EffectKind::SetParameter: return "set " + effect.name + " = " + effect.value;
    case EffectKind::ResetParameter: return "reset " + effect.name;
    case EffectKind::ResetAll: return "RESET ALL";
    case EffectKind::DiscardAll: return "discard all";
    case EffectKind::Deallocate: return "deallocate " + effect.name;
    case EffectKind::DeallocateAll: return "DEALLOCATE ALL";
    case EffectKind::Savepoint: return "savepoint " + effect.name;
    case EffectKind::RollbackTo: return "rollback to " + effect.name;
    case EffectKind::Release: return "release " + effect.name;
    case EffectKind::Pin: return "pin " + std::string(to_text(effect.reason));
    case EffectKind::MayPin: return "may pin " + std::string(to_text(effect.reason));
    case EffectKind::MayUnpin: return "may unpin " + std::string(to_text(effect.reason));
    case EffectKind::Unpin:
      return "unpin " + std::string(to_text(effect.reason)) +
             (effect.name.empty() ? "" : " " + effect.name);
    case EffectKind::Taint: return "taint " + std::string(to_text(effect.reason));
    case EffectKind::ReadOtherwise: return "read otherwise";
    case EffectKind::MayEndTransaction: return "may end";
  }
  return "?";
}

// "2: none | set a = 1"; without the colon if nothing has an effect; "…" if not understood further.
inline std::string describe(const StatementEffects& effects) {
  std::string text = std::to_string(effects.statement_count());
  const char* separator = ": ";
  for (const StatementEffect& effect : effects.entries()) {
    text += separator + describe(effect);
    separator = " | ";
  }
  return effects.is_complete() ? text : text + " …";
}

struct Case {
  std::string text;
  std::string expected;
};

inline constexpr bool kStandard = true;
inline constexpr bool kEscapes = false;

inline void expect_effects(const std::vector<Case>& cases,
                           bool standard_conforming_strings = kStandard) {
  for (const Case& one : cases) {
    EXPECT_EQ(describe(analyse(one.text, standard_conforming_strings)), one.expected) << one.text;
    EffectAnalyser analyser;
    for (std::size_t cut = 0; cut <= one.text.size(); ++cut) {
      analyser.reset(standard_conforming_strings);
      analyser.feed(std::string_view(one.text).substr(0, cut));
      analyser.feed(std::string_view(one.text).substr(cut));
      ASSERT_EQ(describe(analyser.finish()), one.expected) << one.text << " cut at " << cut;
    }
    analyser.reset(standard_conforming_strings);
    for (const char c : one.text) analyser.feed({&c, 1});
    EXPECT_EQ(describe(analyser.finish()), one.expected) << one.text << " byte by byte";
  }
}

}  // namespace pgweir::session
