// SPDX-License-Identifier: Apache-2.0
// Text: UTF-8 and the encodings that source files declare.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ferry::text {

[[nodiscard]] bool is_valid_utf8(std::string_view bytes);
// Code points; every byte that is not part of valid UTF-8 becomes U+FFFD.
[[nodiscard]] std::u32string decode_utf8_lossy(std::string_view bytes);
void append_utf8(std::string &out, char32_t code_point);
// The whole characters of `text` that fit into `bytes`; what is no UTF-8 becomes U+FFFD.
[[nodiscard]] std::string cut_utf8(std::string_view text, std::size_t bytes);

// At most `bytes` bytes of `text` in whole characters, made visible as printable() does, with "..." where it was cut.
[[nodiscard]] std::string excerpt(std::string_view text, std::size_t bytes);

// The 16-bit units of UTF-16 bytes in that order; an odd last byte is left out.
[[nodiscard]] std::u16string utf16_units(std::span<const std::uint8_t> bytes, std::endian order);
// UTF-16 as UTF-8; an unpaired surrogate becomes U+FFFD.
[[nodiscard]] std::string from_utf16(std::u16string_view units);
// The same of a fixed-size field on disk: what comes before the first NUL.
[[nodiscard]] std::string from_utf16_field(std::span<const std::uint8_t> bytes, std::endian order);

// Converts `bytes` from the named encoding ("windows-1252", "GBK", "Shift_JIS", "UTF-8", "UTF-16LE") to
// UTF-8. nullopt when the encoding is not known or the bytes are not valid in it.
[[nodiscard]] std::optional<std::string> to_utf8(std::string_view bytes, std::string_view encoding);

// Text in UTF-16 that begins with a byte order mark as UTF-8; nullopt for everything else.
[[nodiscard]] std::optional<std::string> from_marked_utf16(std::string_view bytes);

[[nodiscard]] std::string lower_ascii(std::string_view text);
[[nodiscard]] bool iequals_ascii(std::string_view a, std::string_view b);
[[nodiscard]] std::string_view trim(std::string_view text);  // blanks, tabs, CR, LF at both ends

// A whole decimal number (no sign, no blanks); nullopt for anything else or overflow.
[[nodiscard]] std::optional<std::uint64_t> parse_u64(std::string_view text);
[[nodiscard]] std::optional<std::int64_t> parse_i64(std::string_view text);

// What a hexadecimal digit of either case stands for; nullopt for any other character.
[[nodiscard]] std::optional<unsigned> hex_digit(char digit);
// %XX decoded, as in URIs; a '%' that no two hexadecimal digits follow stays as it is.
[[nodiscard]] std::string percent_decoded(std::string_view text);

// Lower-case hexadecimal: two digits for each byte.
[[nodiscard]] std::string hex(std::span<const std::uint8_t> bytes);
// Lower-case hexadecimal of a number, padded with zeros to `width` digits.
[[nodiscard]] std::string hex(std::uint64_t value, std::size_t width);

// What RFC 4648's base64 stands for, also without its padding, with white space anywhere or in the alphabet for URLs;
// nullopt for anything else.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

// "3.5 GiB", "512 MiB", "17 bytes": for people.
[[nodiscard]] std::string human_bytes(std::uint64_t bytes);

// Bidirectional controls and separators of lines and paragraphs: what a terminal or a page obeys rather than shows.
[[nodiscard]] bool is_hidden_control(char32_t code_point);
// `text` with control characters and terminal escapes made visible, for messages: "\n" becomes "\\n", and U+202E
// "\\u202e".
[[nodiscard]] std::string printable(std::string_view text);

// `text` as one word of a shell's command line.
[[nodiscard]] std::string shell_word(std::string_view text);

// `text` as a sentence: with a capital, unless it begins with a name (libvirt, scsi0:0, "IDE"), and a full stop.
[[nodiscard]] std::string sentence(std::string_view text);

}  // namespace ferry::text
