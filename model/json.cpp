// SPDX-License-Identifier: Apache-2.0
#include "model/json.hpp"

#include <nlohmann/json.hpp>

#include "model/names.hpp"
#include "model/observed_members.hpp"

#include "support/secrets.hpp"
#include "support/text.hpp"

namespace ferry {
namespace {

// dump() throws on text that is not UTF-8; file names on Linux need not be.
std::string utf8(const std::string &text) {
  if (text::is_valid_utf8(text)) return text;
  std::string out;
  for (const char32_t c : text::decode_utf8_lossy(text)) text::append_utf8(out, c);
  return out;
}

std::string path_text(const std::filesystem::path &path, const JsonContext &context) {
  if (!context.base.empty()) {
    const auto relative = path.lexically_relative(context.base);
    if (!relative.empty() && *relative.begin() != "..") return utf8(relative.string());
  }
  return utf8(path.string());
}

// JSON's own empty() is about lists and objects.
bool is_empty_text(const Json &json) { return json.is_string() && json.get_ref<const std::string &>().empty(); }

template <class T>
concept Number = std::is_integral_v<T>;
template <class T>
concept Enumerator = std::is_enum_v<T>;

class Writer {
 public:
  explicit Writer(const JsonContext &context) : context_(context) {}

  template <Described T>
  [[nodiscard]] Json value(const T &object) const {
    Json out = Json::object();
    for_each_member<T>([&](const auto &member) { put(out, member, object.*member.at); });
    return out;
  }
  [[nodiscard]] Json value(const Place &place) const {
    Json out = Json::object();
    if (place.file != context_.machine && !place.file.empty()) out["file"] = value(place.file);
    if (place.line) out["line"] = *place.line;
    if (!place.path.empty()) out["path"] = value(place.path);
    return out;
  }
  [[nodiscard]] Json value(const std::string &text) const { return utf8(text); }
  [[nodiscard]] Json value(const std::filesystem::path &path) const { return path_text(path, context_); }
  [[nodiscard]] Json value(const Uuid &uuid) const { return uuid.text(); }
  [[nodiscard]] Json value(const MacAddress &mac) const { return mac.text(); }
  [[nodiscard]] Json value(Number auto number) const { return number; }  // booleans too
  [[nodiscard]] Json value(Enumerator auto enumerator) const { return std::string(to_string(enumerator)); }
  template <class T>
  [[nodiscard]] Json value(const std::vector<T> &list) const {
    Json out = Json::array();
    for (const T &element : list) out.push_back(value(element));
    return out;
  }
  [[nodiscard]] Json value(const std::map<std::string, std::string> &map) const {
    Json out = Json::object();
    for (const auto &[key, text] : map) {
      out[utf8(key)] = secrets::looks_secret(key) ? std::string(secrets::kHidden) : utf8(text);
    }
    return out;
  }

 private:
  template <class Struct, class T>
  void put(Json &out, const Member<Struct, T> &member, const T &held) const {
    if constexpr (std::is_arithmetic_v<T>) {
      if (member.written == Written::when_changed && held == T{}) return;
    }
    Json json = value(held);
    // What is left out when it is empty: texts, paths, lists, maps, places.
    constexpr bool kMayBeEmpty = requires { held.empty(); }
    || std::is_same_v<T, Place>;
    if (kMayBeEmpty && member.written != Written::always && (json.empty() || is_empty_text(json))) return;
    if (member.written == Written::hidden) json = std::string(secrets::kHidden);
    out[member.name] = std::move(json);
  }
  template <class Struct, class T>
  void put(Json &out, const Member<Struct, std::optional<T>> &member, const std::optional<T> &held) const {
    if (!held) return;
    Json json = value(*held);
    if (!is_empty_text(json)) out[member.name] = std::move(json);
  }

  const JsonContext &context_;
};

}  // namespace

Json to_json(const Place &place, const JsonContext &context) { return Writer(context).value(place); }
Json to_json(const Finding &finding, const JsonContext &context) { return Writer(context).value(finding); }
Json to_json(const Medium &medium, const JsonContext &context) { return Writer(context).value(medium); }
Json to_json(const Hardware &hardware, const JsonContext &context) { return Writer(context).value(hardware); }
Json to_json(const LedgerEntry &entry, const JsonContext &context) { return Writer(context).value(entry); }

Json to_json(const Observed &observed) {
  const JsonContext context;
  return Writer(context).value(observed);
}

Json to_json(const Machine &machine, const std::filesystem::path &base) {
  const JsonContext context{base, machine.source.file};
  Json out = Writer(context).value(machine);
  // Apple's key is for the new machine alone.
  if (machine.extra.contains("smc.key")) out["extra"]["smc.key"] = "(secret)";
  return out;
}

Json to_json(const LedgerCounts &counts) {
  Json out{{"total", counts.total},           {"kept", counts.kept},
           {"translated", counts.translated}, {"dropped", counts.dropped},
           {"irrelevant", counts.irrelevant}, {"unknown", counts.unknown}};
  if (counts.unsettled > 0) out["unsettled"] = counts.unsettled;
  return out;
}

}  // namespace ferry
