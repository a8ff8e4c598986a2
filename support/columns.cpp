// SPDX-License-Identifier: Apache-2.0
#include "support/columns.hpp"

#include <algorithm>
#include <clocale>
#include <cwchar>

#include "support/text.hpp"

namespace ferry::text {
namespace {

// The C library knows the widths of its own Unicode version, in a UTF-8 locale only, whatever this process's locale is.
class Utf8Locale {
 public:
  Utf8Locale() : before_(uselocale(shared())) {}
  ~Utf8Locale() { uselocale(before_); }
  Utf8Locale(const Utf8Locale &) = delete;
  Utf8Locale &operator=(const Utf8Locale &) = delete;

  static std::size_t width_of(char32_t c) {
    if (c == 0 || shared() == nullptr) return 1;
    const int width = wcwidth(static_cast<wchar_t>(c));
    return width < 0 ? 1 : static_cast<std::size_t>(width);
  }

 private:
  static locale_t shared() {
    static const locale_t kKept = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return kKept;
  }
  locale_t before_;
};

}  // namespace

std::size_t columns(std::string_view text) {
  const Utf8Locale locale;
  std::size_t out = 0;
  for (const char32_t c : decode_utf8_lossy(text)) out += Utf8Locale::width_of(c);
  return out;
}

std::string cut_columns(std::string_view text, std::size_t width) {
  const Utf8Locale locale;
  std::string out;
  for (const char32_t c : decode_utf8_lossy(text)) {
    const std::size_t one = Utf8Locale::width_of(c);
    if (one > width) break;
    width -= one;
    append_utf8(out, c);
  }
  return out;
}

std::string shortened(std::string_view text, std::size_t width) {
  constexpr std::string_view kGap = "...";
  const std::size_t whole = columns(text);
  if (whole <= width) return cut_columns(text, width);
  if (width <= 2 * kGap.size()) return cut_columns(text, width);
  const std::size_t head = (width - kGap.size()) / 2;
  const std::size_t tail = width - kGap.size() - head;
  const Utf8Locale locale;
  std::u32string end;
  std::size_t taken = 0;
  const std::u32string characters = decode_utf8_lossy(text);
  for (auto c = characters.rbegin(); c != characters.rend(); ++c) {
    taken += Utf8Locale::width_of(*c);
    if (taken > tail) break;
    end.insert(end.begin(), *c);
  }
  std::string out = cut_columns(text, head) + std::string(kGap);
  for (const char32_t c : end) append_utf8(out, c);
  return out;
}

std::string table(const std::vector<std::vector<std::string>> &rows, std::size_t cut) {
  std::vector<std::size_t> widths;
  for (const auto &row : rows) {
    if (widths.size() < row.size()) widths.resize(row.size());
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(row[i]));
  }
  std::string out;
  for (const auto &row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += i + 1 < row.size() ? padded(row[i], widths[i] + 2) : row[i];
    line.erase(line.find_last_not_of(' ') + 1);
    if (cut > 3 && columns(line) > cut) line = cut_columns(line, cut - 3) + "...";
    out += line + "\n";
  }
  return out;
}

std::string padded(std::string_view text, std::size_t width) {
  const std::size_t there = columns(text);
  return std::string(text) + std::string(width > there ? width - there : 0, ' ');
}

std::string wrapped(std::string_view text, std::size_t indent, std::size_t width) {
  std::string out;
  std::size_t column = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string_view word = text.substr(at, end - at);
    const std::size_t length = columns(word);
    if (column > 0 && indent + column + 1 + length > width) {
      out += '\n';
      column = 0;
    }
    out += column == 0 ? std::string(indent, ' ') : std::string(" ");
    out += word;
    column += length + (column == 0 ? 0 : 1);
    at = end + 1;
  }
  return out + "\n";
}

}  // namespace ferry::text
