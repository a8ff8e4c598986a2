// SPDX-License-Identifier: Apache-2.0
// Facts: libvirt's qemuMonitorGuestPanicEventInfoFormatMsg, whose line stands in the log before the machine counts as
// crashed: "2024-09-30 16:30:49.506+0000: panic hyper-v: arg1='0x5a', arg2='0x1', ...".
#include "exporters/libvirt/host/crash_log.hpp"

#include <algorithm>
#include <filesystem>

#include "support/file.hpp"
#include "support/folders.hpp"

namespace ferry::libvirt {
namespace {

constexpr std::uint64_t kTailOfALog = 65536;  // bytes
constexpr std::string_view kBegins = ": starting up", kPanic = ": panic ";

}  // namespace

std::string panic_in_log(std::string_view log) {
  if (const std::size_t begin = log.rfind(kBegins); begin != std::string_view::npos) log.remove_prefix(begin);
  const std::size_t at = log.rfind(kPanic);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = log.substr(at + kPanic.size());
  return std::string(rest.substr(0, rest.find('\n')));
}

std::string panic_of(const std::string &machine) {
  try {
    const std::filesystem::path log = folders::cache_home() / "libvirt/qemu/log" / (machine + ".log");
    const std::uint64_t size = std::filesystem::file_size(log), length = std::min(size, kTailOfALog);
    const auto bytes = file::read_range({.file = log, .offset = size - length, .length = length}, kTailOfALog);
    return panic_in_log({reinterpret_cast<const char *>(bytes.data()), bytes.size()});
  } catch (const std::exception &) {
    return {};
  }
}

}  // namespace ferry::libvirt
