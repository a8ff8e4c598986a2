// SPDX-License-Identifier: Apache-2.0
#include "model/macos_name.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "model/guest_os.hpp"

#include "support/text.hpp"

namespace ferry {
namespace {

struct Release {
  unsigned darwin;
  std::string_view name;  // for people; its words, with or without blanks, are looked for
  std::string_view label;
};
// Those whose names begin another's stand behind it.
constexpr std::array kReleases{
    Release{10, "Snow Leopard", "Mac OS X 10.6 Snow Leopard"},
    Release{12, "Mountain Lion", "OS X 10.8 Mountain Lion"},
    Release{11, "Lion", "Mac OS X 10.7 Lion"},
    Release{13, "Mavericks", "OS X 10.9 Mavericks"},
    Release{14, "Yosemite", "OS X 10.10 Yosemite"},
    Release{15, "El Capitan", "OS X 10.11 El Capitan"},
    Release{17, "High Sierra", "macOS 10.13 High Sierra"},
    Release{16, "Sierra", "macOS 10.12 Sierra"},
    Release{18, "Mojave", "macOS 10.14 Mojave"},
    Release{19, "Catalina", "macOS 10.15 Catalina"},
    Release{20, "Big Sur", "macOS 11 Big Sur"},
    Release{21, "Monterey", "macOS 12 Monterey"},
    Release{22, "Ventura", "macOS 13 Ventura"},
    Release{23, "Sonoma", "macOS 14 Sonoma"},
    Release{24, "Sequoia", "macOS 15 Sequoia"},
    Release{25, "Tahoe", "macOS 26 Tahoe"},
};

enum class Kind { none, lower, upper, digit };
Kind kind_of(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (std::isdigit(byte) != 0) return Kind::digit;
  if (std::isupper(byte) != 0) return Kind::upper;
  return std::isalpha(byte) != 0 ? Kind::lower : Kind::none;
}

// "macOS-HighSierra10.13" is mac, os, high, sierra, 10, 13: words end where capitals or digits begin.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  Kind before = Kind::none;
  for (const char c : text) {
    const Kind kind = kind_of(c);
    const bool goes_on = kind == before || (kind == Kind::lower && before == Kind::upper);
    if (kind != Kind::none) {
      if (!goes_on) out.emplace_back();
      out.back() += text::lower_ascii(std::string_view(&c, 1)).front();
    }
    before = kind;
  }
  return out;
}

// How many words from `at` on are the release's name; 0: they are another.
std::size_t name_at(const std::vector<std::string> &words, std::size_t at, const std::vector<std::string> &name) {
  std::string joined;
  for (const std::string &part : name) joined += part;
  if (words[at] == joined) return 1;
  if (at + name.size() > words.size()) return 0;
  return std::equal(name.begin(), name.end(), words.begin() + static_cast<std::ptrdiff_t>(at)) ? name.size() : 0;
}

// What stands before a version: "macos 13", "mac os x 10.6", "osx 10 15". The words that it takes; 0: none.
std::size_t product_at(const std::vector<std::string> &words, std::size_t at) {
  const auto is = [&](std::size_t i, std::string_view word) { return i < words.size() && words[i] == word; };
  if (is(at, "macosx") || is(at, "osx")) return 1;
  if (is(at, "macos")) return is(at + 1, "x") ? 2 : 1;
  if (is(at, "mac") && is(at + 1, "os")) return is(at + 2, "x") ? 3 : 2;
  if (is(at, "mac") && is(at + 1, "osx")) return 2;
  if (is(at, "os") && is(at + 1, "x")) return 2;
  return 0;
}

std::optional<unsigned> version_at(const std::vector<std::string> &words, std::size_t at) {
  const auto number = [&](std::size_t i) {
    return i < words.size() ? text::parse_u64(words[i]) : std::optional<std::uint64_t>();
  };
  const auto major = number(at);
  if (!major || *major < 10 || *major > 99) return std::nullopt;
  const auto minor = number(at + 1);
  if (*major == 10 && (!minor || *minor < 4 || *minor > 15)) return std::nullopt;
  const auto darwin = darwin_of(static_cast<unsigned>(*major), static_cast<unsigned>(minor.value_or(0) % 100));
  return darwin && !macos_name(*darwin).empty() ? darwin : std::nullopt;
}

}  // namespace

std::set<unsigned> darwins_named_in(std::string_view text) {
  const std::vector<std::string> words = words_of(text);
  std::set<unsigned> out;
  for (std::size_t at = 0; at < words.size();) {
    std::size_t taken = 0;
    for (const Release &release : kReleases) {
      taken = name_at(words, at, words_of(release.name));
      if (taken == 0) continue;
      out.insert(release.darwin);
      break;
    }
    if (taken == 0) {
      if (const std::size_t product = product_at(words, at); product > 0) {
        if (const auto darwin = version_at(words, at + product)) out.insert(*darwin);
      }
      taken = 1;
    }
    at += taken;
  }
  return out;
}

std::string macos_name(unsigned darwin) {
  const auto *const found =
      std::find_if(kReleases.begin(), kReleases.end(), [&](const Release &one) { return one.darwin == darwin; });
  return found == kReleases.end() ? std::string{} : std::string(found->label);
}

}  // namespace ferry
