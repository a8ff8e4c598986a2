// SPDX-License-Identifier: Apache-2.0
#include "support/folded_names.hpp"

#include <algorithm>
#include <cwctype>
#include <locale.h>

#include "support/text.hpp"
#include "support/unicode_decompositions.hpp"

namespace ferry::names {
namespace {

char32_t lower_case(char32_t c) {
  static const locale_t kLocale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  if (c < 0x80 || kLocale == nullptr) return c >= U'A' && c <= U'Z' ? c + 32 : c;
  return static_cast<char32_t>(towlower_l(static_cast<wint_t>(c), kLocale));
}

// Hangul syllables are decomposed by arithmetic (The Unicode Standard, 3.12).
bool append_hangul(char32_t c, std::u32string &out) {
  constexpr char32_t kFirst = 0xAC00, kLead = 0x1100, kVowel = 0x1161, kTrail = 0x11A7;
  constexpr char32_t kTrails = 28, kVowels = 21, kSyllables = 11172;
  if (c < kFirst || c >= kFirst + kSyllables) return false;
  const char32_t index = c - kFirst;
  out += static_cast<char32_t>(kLead + index / (kVowels * kTrails));
  out += static_cast<char32_t>(kVowel + index % (kVowels * kTrails) / kTrails);
  if (index % kTrails != 0) out += kTrail + index % kTrails;
  return true;
}

template <class Keep>
void append_decomposed(char32_t c, std::u32string &out, const Keep &keep) {
  constexpr char32_t kFirstWithParts = 0xC0;
  if (c < kFirstWithParts) {
    out += keep(c);
    return;
  }
  if (append_hangul(c, out)) return;
  const auto &table = unicode::kDecompositions;
  const auto *row = std::lower_bound(table.begin(), table.end(), c,
                                     [](const unicode::Decomposition &a, char32_t b) { return a.whole < b; });
  if (row == table.end() || row->whole != c) {
    out += keep(c);
    return;
  }
  append_decomposed(row->first, out, keep);
  if (row->second != 0) append_decomposed(row->second, out, keep);
}

}  // namespace

std::u32string folded(std::string_view name) {
  std::u32string out;
  for (const char32_t c : text::decode_utf8_lossy(name)) append_decomposed(c, out, lower_case);
  return out;
}

bool is_folded(std::string_view name, std::u32string_view wanted) {
  if (std::any_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }))
    return folded(name) == wanted;
  return std::equal(name.begin(), name.end(), wanted.begin(), wanted.end(),
                    [](char have, char32_t want) { return lower_case(static_cast<unsigned char>(have)) == want; });
}

std::u32string decomposed(std::string_view name) {
  std::u32string out;
  for (const char32_t c : text::decode_utf8_lossy(name)) append_decomposed(c, out, [](char32_t same) { return same; });
  return out;
}

}  // namespace ferry::names
