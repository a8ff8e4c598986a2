// SPDX-License-Identifier: Apache-2.0
#include "importers/qemu/readconfig.hpp"

#include <algorithm>

#include "support/text.hpp"

namespace ferry::qemu {
namespace {

std::string doubled(std::string_view value) {
  std::string out;
  for (const char c : value) out += c == ',' ? ",," : std::string(1, c);
  return out;
}

}  // namespace

std::optional<std::vector<LaunchWord>> read_config(std::string_view text, const std::filesystem::path &file) {
  std::vector<LaunchWord> out;
  std::string name, keys;
  std::uint64_t number = 0, since = 0;
  const auto finish = [&] {
    if (name.empty()) return;
    out.push_back({"-" + name, since, file});
    out.push_back({keys, since, file});
  };
  while (!text.empty()) {
    ++number;
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text::trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.starts_with('#')) continue;
    if (line.starts_with('[')) {
      finish();
      if (!line.ends_with(']')) return std::nullopt;
      const std::string_view inside = line.substr(1, line.size() - 2);
      const std::size_t quote = inside.find('"');
      name = std::string(text::trim(inside.substr(0, quote)));
      keys.clear();
      since = number;
      if (quote != std::string_view::npos) {
        keys = "id=" + doubled(inside.substr(quote + 1, inside.rfind('"') - quote - 1));
      }
      continue;
    }
    const std::size_t equals = line.find('=');
    std::string_view value = equals == std::string_view::npos ? "" : text::trim(line.substr(equals + 1));
    if (name.empty() || value.size() < 2 || value.front() != '"' || value.back() != '"') return std::nullopt;
    value = value.substr(1, value.size() - 2);
    keys += (keys.empty() ? "" : ",") + std::string(text::trim(line.substr(0, equals))) + "=" + doubled(value);
    if (out.size() > 2000) return std::nullopt;
  }
  finish();
  return out;
}

}  // namespace ferry::qemu
