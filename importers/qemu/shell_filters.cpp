// SPDX-License-Identifier: Apache-2.0
// Facts: POSIX's pages of these programs, and what GNU's do where it says nothing.
#include "importers/qemu/shell_filters.hpp"

#include <algorithm>
#include <array>

#include "importers/qemu/shell_lines.hpp"
#include "importers/qemu/shell_regex.hpp"
#include "importers/qemu/shell_values.hpp"

#include "support/text.hpp"

namespace ferry::qemu::shell {
namespace {

// "1", "2-", "-3", "1,4-5" of `count`: which are meant.
std::optional<std::vector<bool>> chosen(std::string_view list, std::size_t count) {
  std::vector<bool> out(count, false);
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    const std::string_view part = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    const std::size_t dash = part.find('-');
    const auto number = [&](std::string_view text, std::size_t otherwise) -> std::optional<std::size_t> {
      if (text.empty()) return otherwise;
      return text::parse_u64(text);
    };
    const auto first = number(part.substr(0, dash), 1);
    const auto last = dash == std::string_view::npos ? first : number(part.substr(dash + 1), count);
    if (!first || !last || *first == 0 || part.empty()) return std::nullopt;
    for (std::size_t i = *first; i <= *last && i <= count; ++i) out[i - 1] = true;
  }
  return out;
}

Output cut(const Words &words, std::string_view input) {
  std::string separator = "\t";
  std::optional<std::string> fields, characters;
  bool only_separated = false;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (const auto given = option_value(words, i, 'd', "delimiter")) {
      separator = *given;
    } else if (const auto list = option_value(words, i, 'f', "fields")) {
      fields = *list;
    } else if (const auto places = option_value(words, i, 'c', "characters")) {
      characters = *places;
    } else if (const auto bytes = option_value(words, i, 'b', "bytes")) {
      characters = *bytes;
    } else if (words[i] == "-s") {
      only_separated = true;
    } else {
      return std::nullopt;
    }
  }
  if (fields.has_value() == characters.has_value() || (fields && separator.size() != 1)) return std::nullopt;
  std::vector<std::string> out;
  for (const std::string &line : lines_of(input)) {
    std::string kept;
    if (fields) {
      if (line.find(separator) == std::string::npos) {
        if (!only_separated) out.push_back(line);
        continue;
      }
      std::vector<std::string> parts;
      for (std::size_t at = 0;;) {
        const std::size_t end = std::min(line.find(separator, at), line.size());
        parts.push_back(line.substr(at, end - at));
        if (end >= line.size()) break;
        at = end + 1;
      }
      const auto which = chosen(*fields, parts.size());
      if (!which) return std::nullopt;
      bool first = true;
      for (std::size_t i = 0; i < parts.size(); ++i) {
        if (!(*which)[i]) continue;
        kept += (first ? "" : separator) + parts[i];
        first = false;
      }
    } else {
      const auto which = chosen(*characters, line.size());
      if (!which) return std::nullopt;
      for (std::size_t i = 0; i < line.size(); ++i) {
        if ((*which)[i]) kept += line[i];
      }
    }
    out.push_back(std::move(kept));
  }
  return joined_lines(out);
}

// A set of tr's as its characters in order.
std::optional<std::string> tr_set(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (text.substr(at).starts_with("[:")) {
      const std::size_t end = text.find(":]", at);
      std::size_t inside = 0;
      if (end == std::string_view::npos) return std::nullopt;
      const auto set = bracket_set(std::string(text.substr(at, end + 2 - at)) + "]", inside);
      for (std::size_t c = 0; set && c < 256; ++c) {
        if ((*set)[c]) out += static_cast<char>(c);
      }
      at = end + 2;
    } else if (text[at] == '\\' && at + 1 < text.size()) {
      const char c = text[at + 1];
      out += c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
      at += 2;
    } else if (at + 2 < text.size() && text[at + 1] == '-') {
      for (int c = static_cast<unsigned char>(text[at]); c <= static_cast<unsigned char>(text[at + 2]); ++c)
        out += static_cast<char>(c);
      at += 3;
    } else {
      out += text[at++];
    }
  }
  return out;
}

Output tr(const Words &words, std::string_view input) {
  bool remove = false, squeeze = false, inverse = false;
  std::size_t at = 1;
  for (; at < words.size() && words[at].size() > 1 && words[at].front() == '-'; ++at) {
    for (const char c : words[at].substr(1)) {
      if (c != 'd' && c != 's' && c != 'c') return std::nullopt;
      (c == 'd' ? remove : c == 's' ? squeeze : inverse) = true;
    }
  }
  if (at >= words.size() || (!remove && !squeeze && at + 2 != words.size()) || (inverse && !remove))
    return std::nullopt;
  auto from = tr_set(words[at]);
  if (!from) return std::nullopt;
  const auto inside = [&](char c) { return (from->find(c) != std::string::npos) != inverse; };
  std::string out;
  if (remove) {
    if (at + 1 != words.size()) return std::nullopt;
    for (const char c : input) {
      if (!inside(c)) out += c;
    }
    return out;
  }
  std::string with;
  if (at + 1 < words.size()) {
    const auto set = tr_set(words[at + 1]);
    if (!set || set->empty()) return std::nullopt;
    with = *set;
  }
  for (char c : input) {
    const std::size_t place = from->find(c);
    if (place != std::string::npos && !with.empty()) c = with[std::min(place, with.size() - 1)];
    const bool counts = with.empty() ? place != std::string::npos : with.find(c) != std::string::npos;
    if (squeeze && counts && !out.empty() && out.back() == c) continue;
    out += c;
  }
  return out;
}

// head and tail: -n N, -N, -c N; tail also -n +N.
Output end_of_text(const Words &words, std::string_view input, bool head) {
  std::string count = "10";
  bool bytes = false;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (const auto given = option_value(words, i, 'n', "lines")) {
      count = *given;
    } else if (const auto size = option_value(words, i, 'c', "bytes")) {
      count = *size;
      bytes = true;
    } else if (words[i].size() > 1 && words[i].front() == '-' && text::parse_u64(words[i].substr(1))) {
      count = words[i].substr(1);
    } else {
      return std::nullopt;
    }
  }
  const bool from = !head && count.starts_with('+');
  const auto number = text::parse_u64(from ? count.substr(1) : count);
  if (!number || (from && *number == 0)) return std::nullopt;
  const auto part = [&](std::size_t size) {
    if (head) return std::pair{std::size_t{0}, std::min<std::size_t>(*number, size)};
    const std::size_t begin =
        from ? std::min<std::size_t>(*number - 1, size) : size - std::min<std::size_t>(*number, size);
    return std::pair{begin, size};
  };
  if (bytes) {
    const auto [begin, end] = part(input.size());
    return std::string(input.substr(begin, end - begin));
  }
  const std::vector<std::string> lines = lines_of(input);
  const auto [begin, end] = part(lines.size());
  return joined_lines(
      {lines.begin() + static_cast<std::ptrdiff_t>(begin), lines.begin() + static_cast<std::ptrdiff_t>(end)});
}

Output count(const Words &words, std::string_view input) {
  if (words.size() != 2) return std::nullopt;
  if (words[1] == "-l") return std::to_string(std::count(input.begin(), input.end(), '\n')) + "\n";
  if (words[1] == "-c" || words[1] == "-m") return std::to_string(input.size()) + "\n";
  if (words[1] != "-w") return std::nullopt;
  std::size_t all = 0;
  for (const std::string &line : lines_of(input)) all += fields_of(line, {}).size();
  return std::to_string(all) + "\n";
}

Output sorted(const Words &words, std::string_view input) {
  bool backwards = false, numbers = false, once = false;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (!words[i].starts_with('-')) return std::nullopt;
    for (const char c : words[i].substr(1)) {
      if (c != 'r' && c != 'n' && c != 'u') return std::nullopt;
      (c == 'r' ? backwards : c == 'n' ? numbers : once) = true;
    }
  }
  std::vector<std::string> lines = lines_of(input);
  const auto value = [](const std::string &line) {
    std::size_t end = 0;
    while (end < line.size() && line[end] >= '0' && line[end] <= '9') ++end;
    return text::parse_u64(line.substr(0, end)).value_or(0);
  };
  std::stable_sort(lines.begin(), lines.end(), [&](const std::string &a, const std::string &b) {
    return numbers && value(a) != value(b) ? value(a) < value(b) : a < b;
  });
  if (backwards) std::reverse(lines.begin(), lines.end());
  if (once) lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
  return joined_lines(lines);
}

std::optional<Filtered> grep(const Words &words, std::string_view input) {
  bool inverse = false, ignore_case = false, extended = words[0] == "egrep", fixed = words[0] == "fgrep";
  bool quiet = false, counted = false, only = false;
  std::optional<std::string> pattern;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "-e" && i + 1 < words.size() && !pattern) {
      pattern = words[++i];
    } else if (words[i] == "--" && !pattern && i + 1 < words.size()) {
      pattern = words[++i];
    } else if (words[i].size() > 1 && words[i].front() == '-' && !pattern) {
      for (const char c : words[i].substr(1)) {
        if (std::string_view("viEFqco").find(c) == std::string_view::npos) return std::nullopt;
        (c == 'v'   ? inverse
         : c == 'i' ? ignore_case
         : c == 'E' ? extended
         : c == 'F' ? fixed
         : c == 'q' ? quiet
         : c == 'c' ? counted
                    : only) = true;
      }
    } else if (!pattern) {
      pattern = words[i];
    } else {
      return std::nullopt;
    }
  }
  if (!pattern || (only && (inverse || counted))) return std::nullopt;
  std::string written = *pattern;
  if (fixed) {
    written.clear();
    for (const char c : *pattern) {
      if (std::isalnum(static_cast<unsigned char>(c)) == 0) written += '\\';
      written += c;
    }
    extended = true;
  }
  const auto expression = Regex::parse(written, extended, ignore_case);
  if (!expression) return std::nullopt;
  std::vector<std::string> out;
  std::size_t matched = 0;
  for (const std::string &line : lines_of(input)) {
    Regex::Match match;
    const Regex::Result result = expression->search(line, 0, match);
    if (result == Regex::Result::too_much) return std::nullopt;
    if ((result == Regex::Result::found) == inverse) continue;
    ++matched;
    if (!only) out.push_back(line);
    while (only) {
      if (match.end > match.begin) out.push_back(line.substr(match.begin, match.end - match.begin));
      if (expression->search(line, std::max(match.end, match.begin + 1), match) != Regex::Result::found) break;
    }
  }
  return Filtered{quiet ? "" : counted ? std::to_string(matched) + "\n" : joined_lines(out), matched > 0};
}

Output once(std::string_view input) {
  std::vector<std::string> lines = lines_of(input);
  lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
  return joined_lines(lines);
}

// echo "$A * 2" | bc
Output calculated(std::string_view input) {
  return each_line(input, [](const std::string &line) -> Output {
    const auto value = compute(
        line, [](void *, const std::string &) -> std::optional<std::int64_t> { return std::nullopt; }, nullptr);
    return value ? std::optional(std::to_string(*value)) : std::nullopt;
  });
}

Output words_in_a_line(std::string_view input) {
  std::string out;
  for (const std::string &line : lines_of(input)) {
    if (line.find_first_of("'\"\\") != std::string::npos) return std::nullopt;
    for (const std::string &word : fields_of(line, {})) out += (out.empty() ? "" : " ") + word;
  }
  return out + "\n";
}

constexpr std::array<std::string_view, 19> kFilters = {"cat",  "tee",  "cut",   "awk",   "gawk", "mawk", "sed",
                                                       "tr",   "head", "tail",  "wc",    "sort", "uniq", "rev",
                                                       "grep", "bc",   "egrep", "fgrep", "xargs"};

}  // namespace

bool is_filter(std::string_view program) {
  return std::find(kFilters.begin(), kFilters.end(), program) != kFilters.end();
}

std::optional<Filtered> filter_text(const Words &words, std::string_view input) {
  if (words.empty()) return std::nullopt;
  const std::string &name = words.front();
  if (name == "grep" || name == "egrep" || name == "fgrep") return grep(words, input);
  const bool alone = words.size() == 1;
  Output out;
  if ((name == "cat" && (alone || words[1] == "-")) || name == "tee") out = std::string(input);
  if (name == "cut") out = cut(words, input);
  if (name == "awk" || name == "gawk" || name == "mawk") out = awk(words, input);
  if (name == "sed") out = sed(words, input);
  if (name == "tr") out = tr(words, input);
  if (name == "head" || name == "tail") out = end_of_text(words, input, name == "head");
  if (name == "wc") out = count(words, input);
  if (name == "sort") out = sorted(words, input);
  if (name == "uniq" && alone) out = once(input);
  if (name == "bc" && (alone || words[1] == "-l")) out = calculated(input);
  if (name == "xargs" && (alone || (words.size() == 2 && words[1] == "echo"))) out = words_in_a_line(input);
  if (name == "rev" && alone) {
    out = each_line(input, [](const std::string &line) -> Output { return std::string(line.rbegin(), line.rend()); });
  }
  if (!out) return std::nullopt;
  return Filtered{std::move(*out)};
}

}  // namespace ferry::qemu::shell
