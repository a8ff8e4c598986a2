// SPDX-License-Identifier: Apache-2.0
// VirtualBox 7's .nvram. With UEFI variables alone it is the raw firmware volume. As soon as there is more (a TPM) it
// is a GNU tar of the members "efi/nvram" and "TpmEmuTpms/permall". Measured on 7.0.10: the magic is "ustar  \0",
// there are no end-of-archive blocks, the file ends with the last member's padding. Other members are skipped;
// nothing is ever extracted to a path.
#include "converters/firmware/vbox_nvram.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "converters/firmware/malformed.hpp"

#include "support/byte_reader.hpp"

namespace ferry::firmware {

namespace {

constexpr std::size_t kMostNvramBytes = std::size_t{1} << 20U;
constexpr std::size_t kBlock = 512;
constexpr std::size_t kVolumeSignatureAt = 0x28;
constexpr std::size_t kTarMagicAt = 0x101;

bool has(std::span<const std::uint8_t> bytes, std::size_t offset, std::string_view text) {
  return bytes.size() >= offset + text.size() &&
         std::equal(text.begin(), text.end(), bytes.begin() + static_cast<std::ptrdiff_t>(offset),
                    [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
}

// Octal digits, then blanks or NULs.
std::uint64_t octal(const ByteReader &reader, std::size_t offset, std::size_t length, std::string_view field) {
  const std::string text = reader.text(offset, length, field);
  std::uint64_t value = 0;
  std::size_t digits = 0;
  for (const char c : text) {
    if (c == ' ') continue;
    // At most 12 digits: no overflow.
    if (c < '0' || c > '7')
      malformed(reader.at(offset, field), "a tar header's number is not octal", text, "octal digits");
    value = value * 8 + static_cast<unsigned>(c - '0');
    ++digits;
  }
  if (digits == 0) malformed(reader.at(offset, field), "a tar header's number is missing", "nothing", "octal digits");
  return value;
}

void check_header(const ByteReader &reader, std::size_t at) {
  if (reader.text(at + kTarMagicAt, 5, "tar magic") != "ustar") {
    malformed(reader.at(at + kTarMagicAt, "tar magic"), "a tar member does not begin where the one before ends",
              "other bytes", "ustar");
  }
  const auto raw = reader.bytes(at, kBlock, "tar header");
  constexpr std::size_t kSumAt = 148;
  constexpr std::size_t kSumSize = 8;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kBlock; ++i) sum += i >= kSumAt && i < kSumAt + kSumSize ? std::uint8_t{' '} : raw[i];
  const std::uint64_t stored = octal(reader, at + kSumAt, kSumSize, "tar checksum");
  if (sum != stored) {
    malformed(reader.at(at + kSumAt, "tar checksum"), "a tar header's checksum is wrong", std::to_string(stored),
              std::to_string(sum));
  }
}

VboxNvram parse_tar(const ByteReader &reader) {
  VboxNvram out;
  std::size_t at = 0;
  while (at < reader.size()) {
    const auto raw = reader.bytes(at, kBlock, "tar header");
    if (std::ranges::all_of(raw, [](std::uint8_t byte) { return byte == 0; })) break;
    check_header(reader, at);
    const std::string name = reader.text(at, 100, "member name");
    const std::uint64_t size = octal(reader, at + 124, 12, "member size");
    if (size > reader.size()) {
      malformed(reader.at(at + 124, "member size"), "a tar member is larger than its file", std::to_string(size),
                "at most " + std::to_string(reader.size()));
    }
    const auto data = reader.bytes(at + kBlock, static_cast<std::size_t>(size), "member data");
    const char type = static_cast<char>(reader.little<std::uint8_t>(at + 156, "member type"));
    auto *target = name == "efi/nvram" ? &out.volume : name == "TpmEmuTpms/permall" ? &out.tpm_state : nullptr;
    if (target != nullptr) {
      if (type != '0' && type != '\0') {
        malformed(reader.at(at + 156, "member type"), "the tar member " + name + " is not a file", std::string(1, type),
                  "0");
      }
      if (!target->empty()) malformed(reader.at(at, "member name"), "a tar member appears twice", name, "one");
      target->assign(data.begin(), data.end());
    }
    at += kBlock + (static_cast<std::size_t>(size) + kBlock - 1) / kBlock * kBlock;
  }
  return out;
}

}  // namespace

bool is_vbox_nvram(std::span<const std::uint8_t> bytes) {
  return has(bytes, kVolumeSignatureAt, "_FVH") || has(bytes, kTarMagicAt, "ustar");
}

VboxNvram parse_vbox_nvram(std::span<const std::uint8_t> bytes, const Place &place) {
  if (bytes.size() > kMostNvramBytes) {
    malformed(place, "the file is too large for VirtualBox's variables", std::to_string(bytes.size()) + " bytes",
              "at most " + std::to_string(kMostNvramBytes));
  }
  if (has(bytes, kVolumeSignatureAt, "_FVH")) return {.volume = {bytes.begin(), bytes.end()}, .tpm_state = {}};
  return parse_tar(ByteReader(bytes, place));
}

}  // namespace ferry::firmware
