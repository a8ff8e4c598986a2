// SPDX-License-Identifier: Apache-2.0
#include "importers/vmx/dictionary.hpp"

#include <algorithm>
#include <array>
#include <system_error>

#include "support/file.hpp"
#include "support/on_host.hpp"
#include "support/text.hpp"

namespace ferry::vmx {
namespace {

constexpr std::size_t kMaxSettings = 20'000;  // the largest .vmx in the wild has some 300

constexpr std::string_view kBom = "\xEF\xBB\xBF";

// The C library's names of the encodings that VMware writes. Windows's Shift_JIS and GBK are the vendor's own
// supersets, and in them the backslash of a path stays a backslash.
//
// VMware writes the names of ICU, some of which carry the mapping's year or edition: "windows-949-2000",
// "ibm-943_P15A-2003".
std::string iconv_name(std::string_view declared) {
  struct Row {
    std::string_view vmware, iconv;
  };
  static constexpr std::array<Row, 19> kRows{{{"utf8", "UTF-8"},
                                              {"shift_jis", "CP932"},
                                              {"windows-31j", "CP932"},
                                              {"windows-932", "CP932"},
                                              {"ibm-943", "CP932"},
                                              {"gbk", "CP936"},
                                              {"ibm-1386", "CP936"},
                                              {"gb2312", "CP936"},
                                              {"windows-936", "CP936"},
                                              {"windows-949", "UHC"},
                                              {"ibm-1363", "UHC"},
                                              {"euc-kr", "UHC"},
                                              {"ks_c_5601-1987", "UHC"},
                                              {"big5", "BIG5-HKSCS"},
                                              {"windows-950", "BIG5-HKSCS"},
                                              {"ibm-1373", "BIG5-HKSCS"},
                                              {"ibm-5348", "WINDOWS-1252"},
                                              {"windows-874", "CP874"},
                                              {"us-ascii", "UTF-8"}}};
  std::string lower = text::lower_ascii(declared);
  if (lower.starts_with("windows-") || lower.starts_with("ibm-")) {
    lower.resize(std::min(lower.find_first_not_of("0123456789", lower.find('-') + 1), lower.size()));
    declared = declared.substr(0, lower.size());
  }
  for (const Row &row : kRows) {
    if (row.vmware == lower) return std::string(row.iconv);
  }
  return std::string(declared);
}

bool is_single_byte(std::string_view encoding) {
  const std::string lower = text::lower_ascii(encoding);
  return lower.rfind("windows-125", 0) == 0 || lower.rfind("iso-8859", 0) == 0 || lower == "macintosh";
}

bool is_ascii(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// Which encoding the file is in. A declaration can lie: bytes that are valid UTF-8 beyond ASCII are taken for
// UTF-8 where the declared encoding gives every byte a meaning or cannot decode the file.
std::string choose_encoding(std::string_view bytes, const std::string &declared, const std::filesystem::path &file) {
  if (is_ascii(bytes)) return "UTF-8";
  const bool utf8 = text::is_valid_utf8(bytes);
  if (declared.empty()) return utf8 ? "UTF-8" : "windows-1252";
  std::string name = iconv_name(declared);
  if (utf8 && is_single_byte(declared)) return "UTF-8";
  if (text::iequals_ascii(name, "UTF-8")) return "UTF-8";  // broken values are mended one by one
  if (text::to_utf8(bytes, name)) return name;
  if (utf8) return "UTF-8";
  if (!text::to_utf8("a", name)) {
    throw Error(ErrorKind::malformed,
                {.where = {.file = file, .path = ".encoding"},
                 .message = "the file declares an unknown text encoding",
                 .found = "\"" + text::printable(declared) + "\"",
                 .expected = "an encoding such as UTF-8, windows-1252, Shift_JIS, GBK or windows-949",
                 .advice = "Convert the file to UTF-8 and set .encoding = \"UTF-8\"."});
  }
  return text::to_utf8(bytes, "windows-1252") ? "windows-1252" : name;
}

// One line's bytes in UTF-8; false when some could not be decoded (they are U+FFFD then).
bool decode_line(std::string_view bytes, const std::string &encoding, std::string &out) {
  if (auto converted = text::to_utf8(bytes, encoding)) {
    out = std::move(*converted);
    return true;
  }
  out.clear();
  for (const char32_t c : text::decode_utf8_lossy(bytes)) text::append_utf8(out, c);
  return false;
}

// Undoes |XX. Bytes past ASCII that were escaped one by one are in the file's encoding.
std::string unescape(std::string_view value, const std::string &encoding) {
  std::string out;
  std::string run;
  const auto flush = [&] {
    if (run.empty()) return;
    std::string decoded;
    decode_line(run, encoding, decoded);
    out += decoded;
    run.clear();
  };
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '|' && i + 2 < value.size() && text::hex_digit(value[i + 1]) && text::hex_digit(value[i + 2])) {
      run += static_cast<char>(*text::hex_digit(value[i + 1]) * 16 + *text::hex_digit(value[i + 2]));
      i += 2;
      continue;
    }
    flush();
    out += value[i];
  }
  flush();
  // |00 cannot be meant in a text, and no name or path of the target can carry it.
  out.erase(std::remove(out.begin(), out.end(), '\0'), out.end());
  return out;
}

class Parser {
 public:
  explicit Parser(Dictionary &out) : out_(out) {}

  void line(std::string_view raw, std::uint64_t number) {
    std::string decoded;
    const bool clean = decode_line(raw, out_.encoding, decoded);
    const std::string_view text = text::trim(decoded);
    if (text.empty() || text.front() == '#') return;
    if (!clean) odd(Oddity::Kind::undecodable_value, number, text);
    // People put lines out of action with ";", "//" and the like: no key begins so.
    const char first = text.front();
    const bool letter = (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z');
    if (!letter && first != '.' && first != '_' && (first < '0' || first > '9')) {
      odd(Oddity::Kind::not_a_setting, number, text);
      return;
    }
    const std::size_t equals = text.find('=');
    const std::string_view key = text::trim(text.substr(0, equals));
    if (equals == std::string_view::npos || key.empty() || key.find_first_of(" \t\"") != std::string_view::npos) {
      odd(Oddity::Kind::not_a_setting, number, text);
      return;
    }
    const std::string_view value = take_value(text::trim(text.substr(equals + 1)), number);
    out_.settings.push_back({std::string(key), unescape(value, out_.encoding), number});
  }

 private:
  std::string_view take_value(std::string_view rest, std::uint64_t number) {
    if (rest.empty() || rest.front() != '"') return text::trim(rest.substr(0, rest.find('#')));
    rest.remove_prefix(1);
    const std::size_t close = rest.find('"');
    if (close == std::string_view::npos) {
      odd(Oddity::Kind::unterminated_quote, number, rest);
      return rest;
    }
    const std::string_view after = text::trim(rest.substr(close + 1));
    if (!after.empty() && after.front() != '#') odd(Oddity::Kind::text_after_value, number, after);
    return rest.substr(0, close);
  }

  void odd(Oddity::Kind kind, std::uint64_t number, std::string_view text) {
    out_.oddities.push_back({kind, number, std::string(text)});
  }

  Dictionary &out_;
};

template <class Visit>
void for_each_line(std::string_view bytes, Visit visit) {
  std::uint64_t number = 0;
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size());
    visit(bytes.substr(0, end), ++number);
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
}

// The declaration itself is ASCII in every encoding that VMware writes.
std::string find_declared_encoding(std::string_view bytes) {
  std::string found;
  for_each_line(bytes, [&](std::string_view line, std::uint64_t) {
    const std::size_t equals = line.find('=');
    if (!found.empty() || equals == std::string_view::npos) return;
    const std::string key = text::lower_ascii(text::trim(line.substr(0, equals)));
    if (key != ".encoding" && key != "encoding") return;
    std::string_view value = text::trim(line.substr(equals + 1));
    while (!value.empty() && value.front() == '"') value.remove_prefix(1);
    found = value.substr(0, value.find('"'));
  });
  return found;
}

constexpr std::string_view kDamagedAdvice =
    "Copy the file again, or take it from a backup. Without one, the machine's vmware.log lists all settings in the "
    "lines with DICT, from which the file can be written again.";

bool is_key(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == ':' ||
           c == '_' || c == '-';
  });
}

// "key = "value"" with all quotes: what every line of VMware's is.
bool is_whole(std::string_view line) {
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos || !is_key(text::trim(line.substr(0, equals)))) return false;
  const std::string_view value = text::trim(line.substr(equals + 1));
  return value.size() >= 2 && value.front() == '"' && value.back() == '"';
}

// The beginning of such a line.
bool breaks_off(std::string_view line) {
  const std::size_t equals = line.find('=');
  if (!is_key(text::trim(line.substr(0, equals)))) return false;
  if (equals == std::string_view::npos) return true;
  const std::string_view value = text::trim(line.substr(equals + 1));
  return value.empty() || (value.front() == '"' && value.find('"', 1) == std::string_view::npos);
}

}  // namespace

void refuse_damage(std::string_view bytes, const std::filesystem::path &shown_as) {
  const std::optional<std::string> utf16 = text::from_marked_utf16(bytes);
  if (utf16) bytes = *utf16;
  if (bytes.substr(0, kBom.size()) == kBom) bytes.remove_prefix(kBom.size());
  std::uint64_t last_number = 0;
  std::string_view last;
  bool by_hand = false;  // lines that VMware does not write
  for_each_line(bytes, [&](std::string_view line, std::uint64_t number) {
    const std::string_view text = text::trim(line);
    if (text.empty() || text.front() == '#') return;
    const std::string_view key = text.substr(0, text.find_first_of("=\""));
    if (std::any_of(key.begin(), key.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' && c != '\t'; })) {
      throw Error(ErrorKind::malformed, {.where = {shown_as, number, {}},
                                         .message = "the file is damaged",
                                         .found = "a control character in the line " + text::excerpt(text, 60),
                                         .expected = "lines of key = \"value\"",
                                         .advice = std::string(kDamagedAdvice)});
    }
    by_hand = by_hand || (!last.empty() && !is_whole(last));
    last = text;
    last_number = number;
  });
  if (by_hand || bytes.empty() || bytes.back() == '\n' || bytes.back() == '\r' || !breaks_off(last)) return;
  throw Error(ErrorKind::malformed, {.where = {shown_as, last_number, {}},
                                     .message = "the file is cut off",
                                     .found = text::excerpt(last, 60) + " and nothing behind it",
                                     .expected = "a whole line of key = \"value\"",
                                     .advice = std::string(kDamagedAdvice)});
}

Dictionary parse_dictionary(std::string_view bytes, const std::filesystem::path &shown_as) {
  const std::optional<std::string> utf16 = text::from_marked_utf16(bytes);
  if (utf16) bytes = *utf16;
  if (bytes.substr(0, kBom.size()) == kBom) bytes.remove_prefix(kBom.size());
  if (const std::size_t nul = bytes.find('\0'); nul != std::string_view::npos) {
    throw Error(ErrorKind::malformed, {.where = {.file = shown_as, .path = "offset " + std::to_string(nul)},
                                       .message = "the file is not text",
                                       .found = "a NUL byte",
                                       .expected = "lines of key = \"value\"",
                                       .advice = std::string(kDamagedAdvice)});
  }
  Dictionary out;
  out.declared_encoding = find_declared_encoding(bytes);
  out.encoding = utf16 ? "UTF-8" : choose_encoding(bytes, out.declared_encoding, shown_as);
  Parser parser(out);
  // Multi-byte encodings of VMware never use the newline inside a character, so lines can be cut before decoding.
  for_each_line(bytes, [&](std::string_view line, std::uint64_t number) { parser.line(line, number); });
  if (out.settings.size() + out.oddities.size() > kMaxSettings) {
    throw Error(ErrorKind::malformed, {.where = {.file = shown_as},
                                       .message = "the file contains too many settings for one machine",
                                       .found = std::to_string(out.settings.size() + out.oddities.size()),
                                       .expected = "at most " + std::to_string(kMaxSettings)});
  }
  return out;
}

std::string read_text_file(const std::filesystem::path &file, std::uint64_t limit) {
  std::error_code error;
  const auto status = on_host::status(file, error);
  if (!std::filesystem::exists(status)) {
    throw Error(ErrorKind::missing, {.where = {.file = file}, .message = "there is no such file"});
  }
  if (!std::filesystem::is_regular_file(status)) {
    throw Error(ErrorKind::malformed, {.where = {.file = file}, .message = "this is not a regular file"});
  }
  const std::uint64_t size = on_host::file_size(file, error);
  if (!error && size > limit) {
    throw Error(ErrorKind::malformed, {.where = {.file = file},
                                       .message = "the file is too large for a machine's settings",
                                       .found = text::human_bytes(size),
                                       .expected = "at most " + text::human_bytes(limit)});
  }
  return file::read_start(file, limit);
}

std::optional<bool> parse_boolean(std::string_view value) {
  const std::string lower = text::lower_ascii(text::trim(value));
  if (lower == "true" || lower == "1" || lower == "yes" || lower == "on" || lower == "y" || lower == "t") return true;
  if (lower == "false" || lower == "0" || lower == "no" || lower == "off" || lower == "n" || lower == "f") return false;
  return std::nullopt;
}

}  // namespace ferry::vmx
