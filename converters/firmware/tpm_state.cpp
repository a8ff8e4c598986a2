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

std::string problem_of_tpm_state(std::span<const std::uint8_t> blob) {
  constexpr std::size_t kMagicEnd = 6;
  if (blob.size() < kMagicEnd) return "it is too short";
  if (blob.size() > kMaxState) return "it is too long";
  const ByteReader reader(blob, {});
  return reader.big<std::uint32_t>(2, "magic") == kTpm2Magic ? "" : "it is not that of a TPM 2.0";
}

std::vector<std::uint8_t> swtpm_state(std::span<const std::uint8_t> blob) {
  constexpr std::size_t kHeader = 10;
  constexpr std::size_t kFraming = 6;
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

std::filesystem::path write_swtpm_state(std::span<const std::uint8_t> blob, const std::filesystem::path &folder,
                                        std::string_view name) {
  if (const std::string problem = problem_of_tpm_state(blob); !problem.empty()) {
    throw Error(ErrorKind::malformed, {.message = "the TPM's state cannot be carried over: " + problem});
  }
  file::make_private_folders(folder.parent_path());
  // The modes that libvirt itself gives them.
  make_folder(folder, 0711);
  make_folder(folder / "tpm2", 0700);
  std::filesystem::path file = folder / "tpm2" / name;
  file::publish_private(file, swtpm_state(blob));
  return file;
}

Finding tpm_finding(const NvramContents *contents, bool carried, const Place &where) {
  if (carried) {
    return raise(kTpmStateCarried, where,
                 "the TPM's content is carried over; its measurements of the boot will differ");
  }
  std::string why = "the source has no TPM state that can be read";
  if (contents != nullptr && !contents->tpm_problem.empty())
    why = "the source's TPM state cannot be used, " + contents->tpm_problem;
  if (contents != nullptr && !contents->tpm_state.empty()) why = "this host cannot take over a TPM's content";
  return raise(kTpmStateFresh, where, "the machine gets a new, empty TPM: " + why);
}

}  // namespace ferry::firmware
