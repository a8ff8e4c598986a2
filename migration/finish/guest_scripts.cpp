// SPDX-License-Identifier: Apache-2.0
// Facts: lsinitramfs(8) and /etc/initramfs-tools/modules (initramfs.conf(5)) of Debian; lsinitrd(1), dracut.conf(5) of
// dracut; where distributions put kernels and initial RAM disks, as converters/guest/linux.cpp has it.
#include "migration/finish/guest_scripts.hpp"

#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>

#include "model/guest_tools.hpp"

#include "support/text.hpp"

namespace ferry::migration {
namespace {

constexpr std::size_t kMostOfALine = 1000;  // bytes
constexpr std::size_t kMostMounts = 256;
constexpr std::string_view kVirtioModules = "virtio_pci virtio_scsi virtio_blk virtio_net";

// Each line begins with a word that says what it is.
constexpr const char *kLook = R"re(PATH=$PATH:/usr/sbin:/sbin
modules() { tr - _ | sed -n 's|^.*/\(virtio_[a-z]*\)\.ko.*$|\1|p' | sort -u; }
k=$(uname -r)
echo "kernel $k"
uname -m | sed 's/^/machine /'
uname -n | sed 's/^/host /'
sed -n -E 's/^(ID|VERSION_ID|PRETTY_NAME)=/release &/p' /etc/os-release
for d in "/lib/modules/$k" "/usr/lib/modules/$k"; do
  [ -r "$d/modules.builtin" ] || continue
  modules <"$d/modules.builtin" | sed 's/^/driver /'
  ! grep -q '/virtio_net\.ko' "$d/modules.dep" || echo "driver virtio_net"
  break
done
for f in "/boot/initrd.img-$k" "/boot/initramfs-$k.img" "/boot/initrd-$k" "/boot/initramfs-$k"; do
  [ -r "$f" ] || continue
  echo "initramfs $f"
  if command -v lsinitramfs >/dev/null; then list=$(lsinitramfs "$f" </dev/null); else list=$(lsinitrd "$f" </dev/null); fi
  [ -n "$list" ] || break
  echo "examined"
  printf '%s\n' "$list" | modules | sed 's/^/driver /'
  break
done
for f in /etc/fstab /etc/crypttab; do
  [ ! -r "$f" ] || sed -n "s|^[[:space:]]*[^#[:space:]].*|mount $f &|p" "$f"
done
sed 's/^/cmdline /' /proc/cmdline
)re";

constexpr const char *kRepair = R"re(PATH=$PATH:/usr/sbin:/sbin
set -e
if [ -d "$root/etc/initramfs-tools" ] && command -v update-initramfs >/dev/null; then
  list=$root/etc/initramfs-tools/modules
  for m in $modules; do
    grep -q -x "$m" "$list" 2>/dev/null || echo "$m" >>"$list"
  done
  update-initramfs -u -k all </dev/null >&2
  echo "$list"
elif command -v dracut >/dev/null; then
  mkdir -p "$root/etc/dracut.conf.d"
  list=$root/etc/dracut.conf.d/virt-ferry.conf
  echo "add_drivers+=\" $modules \"" >"$list"
  dracut --force --regenerate-all </dev/null >&2
  echo "$list"
else
  exit 3
fi
)re";

std::vector<std::string> words_in(const std::string &line) {
  std::vector<std::string> out;
  std::istringstream in(line);
  for (std::string word; in >> word;) out.push_back(word);
  return out;
}

std::string without_quotes(const std::string &value) {
  const bool quoted =
      value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.front() == value.back();
  return quoted ? value.substr(1, value.size() - 2) : value;
}

class LookLines {
 public:
  std::optional<Observed> read(const std::string &output) {
    std::istringstream in(output);
    for (std::string line; std::getline(in, line);) {
      const std::size_t blank = line.find(' ');
      if (line.size() <= kMostOfALine)
        take(line.substr(0, blank), blank == std::string::npos ? "" : line.substr(blank + 1));
    }
    if (kernel_.version.empty()) return std::nullopt;
    std::sort(kernel_.drivers.begin(), kernel_.drivers.end());
    kernel_.drivers.erase(std::unique(kernel_.drivers.begin(), kernel_.drivers.end()), kernel_.drivers.end());
    out_.kernels = {kernel_};
    Observed all;
    all.linux_systems = {out_};
    return all;
  }

 private:
  void take(const std::string &what, const std::string &value) {
    if (what == "kernel") kernel_.version = value;
    if (what == "machine") out_.architecture = value;
    if (what == "host") out_.host_name = value;
    if (what == "initramfs") kernel_.initramfs = value;
    if (what == "examined") kernel_.examined = true;
    if (what == "driver") kernel_.drivers.push_back(value);
    if (what == "release") take_release(value);
    if (what == "mount") take_mount(words_in(value));
    if (what == "cmdline") take_command_line(words_in(value));
    if (what == "tool") out_.tools.push_back(value);
  }

  void take_release(const std::string &line) {
    const std::size_t equals = line.find('=');
    if (equals == std::string::npos) return;
    const std::string key = line.substr(0, equals), value = without_quotes(line.substr(equals + 1));
    if (key == "ID") out_.id = value;
    if (key == "VERSION_ID") out_.version = value;
    if (key == "PRETTY_NAME") out_.product = value;
  }

  // "/etc/fstab DEVICE TARGET ...", "/etc/crypttab NAME DEVICE ...".
  void take_mount(const std::vector<std::string> &words) {
    if (words.size() < 3 || out_.mounts.size() >= kMostMounts) return;
    const bool crypt = words[0] == "/etc/crypttab";
    out_.mounts.push_back({words[0], words[crypt ? 2 : 1], words[crypt ? 1 : 2]});
  }

  void take_command_line(const std::vector<std::string> &words) {
    for (const std::string &word : words) {
      for (const std::string_view key : {"root", "resume"}) {
        if (word.starts_with(std::string(key) + "=/dev/") && out_.mounts.size() < kMostMounts)
          out_.mounts.push_back({"/proc/cmdline", word.substr(key.size() + 1), std::string(key)});
      }
    }
  }

  ObservedLinux out_;
  ObservedKernel kernel_;
};

}  // namespace

std::string look_script() {
  std::string out = kLook;
  for (const LinuxTool &tool : kLinuxTools)
    out += std::string("[ ! -x /") + tool.file + " ] || echo 'tool " + tool.name + "'\n";
  return out;
}

std::optional<Observed> read_look(const std::string &output) { return LookLines().read(output); }

std::string repair_script(const std::string &root) {
  return "root=" + text::shell_word(root) + "\nmodules='" + std::string(kVirtioModules) + "'\n" + kRepair;
}

}  // namespace ferry::migration
