// SPDX-License-Identifier: Apache-2.0
// What a source's nvram file is, its content says; then it is read by the reader of that kind.
#include "converters/firmware/carry.hpp"
#include "converters/firmware/edk2_store.hpp"
#include "converters/firmware/findings.hpp"
#include "converters/firmware/tpm_state.hpp"
#include "converters/firmware/vbox_nvram.hpp"
#include "converters/firmware/vmware_nvram.hpp"
#include "converters/images/source_file.hpp"

#include "support/file.hpp"
#include "support/text.hpp"

namespace ferry::firmware {

namespace {

// VMware's largest known file, an encrypted one, has 2.3 MiB; VirtualBox refuses more than 1 MiB by itself.
constexpr std::uint64_t kMaxFileSize = std::uint64_t{4} << 20U;

void read_virtualbox(NvramContents &out, std::span<const std::uint8_t> bytes) {
  VboxNvram nvram = parse_vbox_nvram(bytes, out.where);
  if (!nvram.volume.empty()) out.variables = Edk2Store(std::move(nvram.volume), out.where).variables();
  out.kind = NvramKind::virtualbox;
  if (nvram.tpm_state.empty()) return;
  out.tpm.problem = problem_of_tpm_state(nvram.tpm_state);
  if (out.tpm.problem.empty()) out.tpm.state = std::move(nvram.tpm_state);
}

void read_content(NvramContents &out, std::span<const std::uint8_t> bytes) {
  if (is_vbox_nvram(bytes)) {
    read_virtualbox(out, bytes);
  } else if (is_vmware_nvram(bytes)) {
    out.variables = parse_vmware_nvram(bytes, out.where);
    out.kind = NvramKind::vmware;
  } else if (is_encrypted_vmware_nvram(bytes)) {
    out.findings.push_back(
        raise(kVariablesEncrypted, out.where, "the UEFI variables are encrypted together with the machine's TPM"));
  } else {
    out.findings.push_back(raise(kVariablesUnreadable, out.where,
                                 "this is neither VirtualBox's nor VMware's form of UEFI variables, so they are not "
                                 "carried over"));
  }
}

std::vector<std::uint8_t> inflated(const FileRange &range, const Place &where, image::Cache *cache) {
  ImageFile whole;
  whole.pieces = {range};
  whole.gzip_outer = true;
  whole.origin = where;
  const auto source = image::open_source(whole, cache);
  if (source->size() > kMaxFileSize) {
    throw Error(ErrorKind::malformed, {.where = where,
                                       .message = "the file is too large",
                                       .found = text::human_bytes(source->size()),
                                       .expected = "at most " + text::human_bytes(kMaxFileSize)});
  }
  return image::read_bytes(*source, 0, static_cast<std::size_t>(source->size()));
}

}  // namespace

std::optional<NvramSource> nvram_source(const Firmware &firmware) {
  if (firmware.nvram_inside) return NvramSource{*firmware.nvram_inside, firmware.nvram_encrypted, firmware.nvram_gzip};
  if (!firmware.nvram_file) return std::nullopt;
  return NvramSource{
      {.file = *firmware.nvram_file, .offset = 0, .length = std::nullopt}, firmware.nvram_encrypted, false};
}

NvramContents read_nvram(const NvramSource &source, image::Cache *cache) {
  NvramContents out;
  out.where.file = source.range.file;
  if (source.encrypted) {
    out.findings.push_back(raise(kVariablesEncrypted, out.where, "the machine's settings say that they are encrypted"));
    return out;
  }
  try {
    read_content(out,
                 source.gzip ? inflated(source.range, out.where, cache) : file::read_range(source.range, kMaxFileSize));
  } catch (const Error &error) {
    out.kind = NvramKind::unreadable;
    out.variables.clear();
    out.tpm = {};
    const ErrorDetail &detail = error.detail();
    std::string message = "the UEFI variables cannot be read: " + detail.message;
    if (!detail.found.empty()) message += "; found " + detail.found;
    if (!detail.expected.empty()) message += "; expected " + detail.expected;
    out.findings.push_back(raise(kVariablesUnreadable, detail.where, message));
  }
  return out;
}

std::optional<bool> secure_boot_of(const NvramContents &contents) {
  if (contents.kind != NvramKind::virtualbox) return std::nullopt;
  if (find(contents.variables, u"PK", kGlobalGuid) == nullptr) return false;
  const Variable *enable = find(contents.variables, u"SecureBootEnable", kSecureBootEnableGuid);
  return enable == nullptr || enable->data.size() != 1 || enable->data[0] != 0;
}

}  // namespace ferry::firmware
