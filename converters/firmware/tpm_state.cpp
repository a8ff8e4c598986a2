// SPDX-License-Identifier: Apache-2.0
// VirtualBox keeps libtpms' permanent state as it is; swtpm puts a header before it, big-endian:
//   u8 version 2, u8 oldest reader 1, u16 header size 10, u16 flags 0, u32 size of the whole file
//   u16 tag 1 (data), u32 size of the blob, then the blob
// Measured against swtpm 0.7.1's own files. The blob: u16 version, u32 magic 0xAB364723 for TPM 2.0 (libtpms 0.9).
#include "converters/firmware/tpm_state.hpp"

#include <cerrno>
#include <sys/stat.h>
#include <system_error>

#include "converters/firmware/findings.hpp"

#include "support/byte_reader.hpp"
#include "support/file.hpp"

namespace ferry::firmware {

namespace {

constexpr std::uint32_t kTpm2Magic = 0xAB364723;
// libtpms' own limit for the state of a TPM 2.0 with all of its NV memory is below 200 KiB.
constexpr std::size_t kMaxState = std::size_t{1} << 20U;
constexpr std::size_t kHeader = 10, kFraming = 6;  // bytes
constexpr std::uint16_t kTagData = 1;

// A file without a header is libtpms' blob itself, as swtpm takes it too.
TpmContents unframed(std::span<const std::uint8_t> bytes, TpmKind kind) {
  if (bytes.size() > kHeader + kFraming && bytes[0] >= 1 && bytes[0] <= 2) {
    const ByteReader reader(bytes, {});
    const auto header = reader.big<std::uint16_t>(2, "header size");
    const bool framed =
        header >= kHeader && header + kFraming <= bytes.size() && reader.big<std::uint32_t>(6, "size") == bytes.size();
    if (framed) {
      if (reader.big<std::uint16_t>(header, "tag") != kTagData) return {{}, "it is encrypted"};
      const auto length = reader.big<std::uint32_t>(header + 2U, "data size");
      if (length > bytes.size() - header - kFraming) return {{}, "it is cut short"};
      const auto blob = bytes.subspan(header + kFraming, length);
      return {{blob.begin(), blob.end()}, problem_of_tpm_state(blob, kind)};
    }
  }
  return {{bytes.begin(), bytes.end()}, problem_of_tpm_state(bytes, kind)};
}

void make_folder(const std::filesystem::path &folder, mode_t mode) {
  if (mkdir(folder.c_str(), mode) == 0) {
    file::sync_folder(folder.parent_path());
    return;
  }
  if (errno == EEXIST) return;
  throw Error(ErrorKind::io, {.where = {.file = folder, .line = std::nullopt, .path = {}},
                              .message = "the folder for the TPM's state cannot be created: " +
                                         std::generic_category().message(errno)});
}

}  // namespace

std::string problem_of_tpm_state(std::span<const std::uint8_t> blob, TpmKind kind) {
  constexpr std::size_t kMagicEnd = 6;
  if (blob.size() < kMagicEnd) return "it is too short";
  if (blob.size() > kMaxState) return "it is too long";
  if (kind == TpmKind::old) return "";  // nothing in it says so
  const ByteReader reader(blob, {});
  return reader.big<std::uint32_t>(2, "magic") == kTpm2Magic ? "" : "it is not that of a TPM 2.0";
}

std::vector<std::uint8_t> swtpm_state(std::span<const std::uint8_t> blob) {
  std::vector<std::uint8_t> out;
  const auto put = [&out](std::size_t value, int bytes) {
    for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  };
  put(2, 1);
  put(1, 1);
  put(kHeader, 2);
  put(0, 2);
  put(kHeader + kFraming + blob.size(), 4);
  put(1, 2);
  put(blob.size(), 4);
  out.insert(out.end(), blob.begin(), blob.end());
  return out;
}

TpmContents read_swtpm_state(const std::filesystem::path &file, TpmKind kind) {
  TpmContents out;
  try {
    out = unframed(file::read_range({.file = file, .offset = 0, .length = std::nullopt}, kMaxState), kind);
  } catch (const Error &error) {
    out.problem = error.detail().message;
  }
  if (!out.problem.empty()) out.state.clear();
  return out;
}

std::filesystem::path swtpm_state_name(TpmKind kind) {
  return kind == TpmKind::old ? "tpm1.2/tpm-00.permall" : "tpm2/tpm2-00.permall";
}

std::filesystem::path write_swtpm_state(std::span<const std::uint8_t> blob, const std::filesystem::path &folder,
                                        std::string_view name, TpmKind kind) {
  if (const std::string problem = problem_of_tpm_state(blob, kind); !problem.empty()) {
    throw Error(ErrorKind::malformed, {.message = "the TPM's state cannot be carried over: " + problem});
  }
  file::make_private_folders(folder.parent_path());
  // The modes that libvirt itself gives them.
  make_folder(folder, 0711);
  const std::filesystem::path inner = folder / swtpm_state_name(kind).parent_path();
  make_folder(inner, 0700);
  std::filesystem::path file = inner / name;
  file::publish_private(file, swtpm_state(blob));
  return file;
}

Finding tpm_finding(const TpmContents *contents, bool carried, bool same_firmware, const Place &where) {
  if (carried) {
    if (same_firmware)
      return raise(kTpmStateCarried, where, "the TPM's content is carried over",
                   "Keep recovery keys at hand until the machine has started.");
    return raise(kTpmStateCarried, where,
                 "the TPM's content is carried over; its measurements of the boot will differ");
  }
  std::string why = "the source has no TPM state that can be read";
  if (contents != nullptr && !contents->problem.empty())
    why = "the source's TPM state cannot be used, " + contents->problem;
  if (contents != nullptr && !contents->state.empty()) why = "this host cannot take over a TPM's content";
  return raise(kTpmStateFresh, where, "the machine gets a new, empty TPM: " + why);
}

}  // namespace ferry::firmware
