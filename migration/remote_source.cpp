// SPDX-License-Identifier: Apache-2.0
#include "migration/remote_source.hpp"

#include "hosts/known_hosts.hpp"
#include "hosts/url.hpp"
#include "support/on_host.hpp"
#include "support/text.hpp"

namespace ferry::migration {
namespace {

constexpr const char *kCopyFirst = "Copy the machine's folder to this host, or mount it with sshfs, and give that.";

[[noreturn]] void cannot(const std::filesystem::path &source, const std::string &what, std::string advice) {
  throw Error(ErrorKind::unsupported, {.where = {.file = source},
                                       .message = what + " needs the source's files on this host",
                                       .found = "a source on the host '" + on_host::authority_of(source) + "'",
                                       .advice = std::move(advice)});
}

}  // namespace

std::optional<std::filesystem::path> remote_path(const std::string &argument) {
  if (!hosts::is_ssh_url(argument)) return std::nullopt;
  std::filesystem::path out = hosts::path_of_url(argument);
  hosts::allow(on_host::authority_of(out));
  if (!out.has_filename() && on_host::path_there(out) != "/") out = out.parent_path();
  return out;
}

void refuse_remote(const std::string &argument, std::string_view what, std::string_view advice) {
  if (!hosts::is_ssh_url(argument)) return;
  throw Error(ErrorKind::unsupported, {.message = std::string(what) + " takes no source on another host",
                                       .found = "\"" + text::printable(argument) + "\"",
                                       .expected = "a source on this host",
                                       .advice = std::string(advice)});
}

void refuse_remote_kind(const FoundSource &source) {
  if (!on_host::is_remote(source.file)) return;
  if (source.kind == SourceKind::qemu) cannot(source.file, "a QEMU script or command line", kCopyFirst);
  if (source.kind == SourceKind::vagrant) cannot(source.file, "a Vagrant box", kCopyFirst);
}

void refuse_options_for_remote(const std::filesystem::path &source, const Options &options) {
  if (!on_host::is_remote(source)) return;
  if (options.start_now) cannot(source, "--start-now", "Leave it out; --start starts the machine when it is copied.");
  const auto mode = options.mode;
  if (mode == disk::Mode::overlay || mode == disk::Mode::link || mode == disk::Mode::share) {
    const std::string name = mode == disk::Mode::overlay ? "overlay" : mode == disk::Mode::link ? "link" : "share";
    cannot(source, "--disk-mode " + name, "Leave it out, so that the disks are copied.");
  }
  if (options.engine == disk::Engine::qemu_img)
    cannot(source, "--engine qemu-img", "Leave it out: virt-ferry reads the disks itself.");
}

}  // namespace ferry::migration
