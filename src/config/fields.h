// Fields for settings that are no plain member: startup parameters, lists of hosts, ranges of TLS
// versions, and those texts that a draft keeps for finish.h.
#pragma once

#include "config/setting.h"

namespace pgweir::config {

// The value of a startup parameter; empty if the database has none of that name.
std::string_view startup_parameter(const proxy::DatabaseOptions& of, std::string_view name);
// Replaces the parameter of that name, or adds it at the end; an empty value removes it.
void set_startup_parameter(proxy::DatabaseOptions& of, std::string_view name, std::string value);

// "\"public\"": an identifier as PostgreSQL's search_path wants it.
std::string quote_identifier(std::string_view name);

// Reads PgBouncer's list of TLS versions ("secure", "tlsv1.2,tlsv1.3").
Complaint parse_protocols(std::string_view text, proxy::TlsVersion& min, proxy::TlsVersion& max);
std::string render_protocols(proxy::TlsVersion min, proxy::TlsVersion max);

// The draft keeps the text; the finished options show it as `render` says.
template <auto Member, auto Render>
constexpr DatabaseField staged() {
  return {
      .parse = [](const Input& input,
                  DatabaseDraft& to) { return Codec<std::string>::parse(input, to.*Member); },
      .render = Render,
      .is_equal = [](const proxy::DatabaseOptions& left,
                     const proxy::DatabaseOptions& right) { return Render(left) == Render(right); },
      .type = [] { return std::string("text"); },
  };
}

// A startup parameter with PostgreSQL's own name; Kind says how the text is checked.
template <const char* Name>
constexpr DatabaseField parameter() {
  return {
      .parse = [](const Input& input, DatabaseDraft& to) -> Complaint {
        std::string text;
        Complaint complaint = Codec<std::string>::parse(input, text);
        if (!complaint) set_startup_parameter(to, Name, std::move(text));
        return complaint;
      },
      .render =
          [](const proxy::DatabaseOptions& of) { return std::string(startup_parameter(of, Name)); },
      .is_equal =
          [](const proxy::DatabaseOptions& left, const proxy::DatabaseOptions& right) {
            return startup_parameter(left, Name) == startup_parameter(right, Name);
          },
      .type = [] { return std::string("text"); },
  };
}

// A duration that PostgreSQL wants in milliseconds. "0" is sent too: it overrules the role's own.
template <const char* Name>
constexpr DatabaseField duration_parameter() {
  DatabaseField field = parameter<Name>();
  field.parse = [](const Input& input, DatabaseDraft& to) -> Complaint {
    base::Duration duration{};
    Complaint complaint = Codec<base::Duration>::parse(input, duration);
    if (!complaint) {
      const auto count = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
      set_startup_parameter(to, Name, std::to_string(count));
    }
    return complaint;
  };
  field.render = [](const proxy::DatabaseOptions& of) {
    const std::string_view text = startup_parameter(of, Name);
    return text.empty() ? std::string() : std::string(text) + "ms";
  };
  field.type = [] { return std::string("duration"); };
  return field;
}

// The versions of TLS options at the end of the path, in PgBouncer's spelling.
template <auto... Path>
constexpr ProcessField protocols() {
  return {
      .parse =
          [](const Input& input, ProcessDraft& to) {
            auto& tls = follow<Path...>(to);
            return parse_protocols(input.text, tls.version_min, tls.version_max);
          },
      .render =
          [](const Config& of) {
            const auto& tls = follow<Path...>(of);
            return render_protocols(tls.version_min, tls.version_max);
          },
      .is_equal =
          [](const Config& left, const Config& right) {
            return follow<Path...>(left).version_min == follow<Path...>(right).version_min &&
                   follow<Path...>(left).version_max == follow<Path...>(right).version_max;
          },
      .type = [] { return std::string("list"); },
  };
}

}  // namespace pgweir::config
