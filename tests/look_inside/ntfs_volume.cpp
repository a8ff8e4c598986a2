// SPDX-License-Identifier: Apache-2.0
#include "tests/look_inside/ntfs_volume.hpp"

// ntfs-3g's headers leave these to who includes them.
#include <cerrno>
#include <cstdarg>
#include <cstddef>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <stdexcept>
#include <sys/stat.h>
#include <sys/types.h>

extern "C" {
#include <ntfs-3g/types.h>
// What needs the types stands below them.
#include <ntfs-3g/attrib.h>
#include <ntfs-3g/dir.h>
#include <ntfs-3g/inode.h>
#include <ntfs-3g/unistr.h>
#include <ntfs-3g/volume.h>
}

namespace ferry::test {

struct NtfsVolume::Volume {
  ntfs_volume *ntfs;
};

namespace {

void must(bool good, const std::string &what) {
  if (!good) throw std::runtime_error("ntfs-3g: " + what);
}

struct Close {
  void operator()(ntfs_inode *inode) const { ntfs_inode_close(inode); }
};
using Inode = std::unique_ptr<ntfs_inode, Close>;

Inode make(ntfs_inode *folder, const std::string &name, mode_t kind) {
  ntfschar *wide = nullptr;
  const int length = ntfs_mbstoucs(name.c_str(), &wide);
  must(length > 0, "name " + name);
  const le32 security = 0;
  Inode out(ntfs_create(folder, security, wide, static_cast<u8>(length), kind));
  std::free(wide);
  must(out != nullptr, "cannot make " + name);
  return out;
}

Inode open(ntfs_volume *volume, const std::string &path) {
  return Inode(ntfs_pathname_to_inode(volume, nullptr, path.c_str()));
}

}  // namespace

NtfsVolume::NtfsVolume(const std::filesystem::path &file, std::uint64_t size, const std::vector<std::string> &options) {
  write_file(file, Bytes());
  std::filesystem::resize_file(file, size);
  std::vector<std::string> arguments{"mkntfs", "-Q", "-F", "-q", "-p", "0"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  arguments.push_back(file.string());
  must(run(arguments) == 0, "mkntfs");
  ntfs_volume *mounted = ntfs_mount(file.c_str(), static_cast<ntfs_mount_flags>(0));
  must(mounted != nullptr, "mount");
  volume_ = new Volume{mounted};
}

NtfsVolume::~NtfsVolume() {
  ntfs_umount(volume_->ntfs, FALSE);
  delete volume_;
}

void NtfsVolume::write(const std::string &path, const Bytes &content, How how) {
  const std::size_t slash = path.rfind('/');
  std::string folder;
  Inode at = open(volume_->ntfs, "/");
  for (std::size_t begin = 0; slash != std::string::npos && begin <= slash;) {
    const std::size_t end = path.find('/', begin);
    const std::string part = path.substr(begin, end - begin);
    folder += "/" + part;
    Inode next = open(volume_->ntfs, folder);
    at = next ? std::move(next) : make(at.get(), part, S_IFDIR);
    begin = end + 1;
  }
  const Inode file = make(at.get(), slash == std::string::npos ? path : path.substr(slash + 1), S_IFREG);
  if (how == How::compressed) file->flags = static_cast<FILE_ATTR_FLAGS>(file->flags | FILE_ATTR_COMPRESSED);
  ntfs_attr *data = ntfs_attr_open(file.get(), AT_DATA, AT_UNNAMED, 0);
  must(data != nullptr, "data of " + path);
  if (how == How::compressed) NAttrSetCompressed(data);
  const auto size = static_cast<s64>(content.size());
  must(ntfs_attr_pwrite(data, 0, size, content.data()) == size, "write " + path);
  if (how == How::compressed) ntfs_attr_pclose(data);
  ntfs_attr_close(data);
}

void NtfsVolume::set_dirty() {
  must(ntfs_volume_write_flags(volume_->ntfs, static_cast<le16>(volume_->ntfs->flags | VOLUME_IS_DIRTY)) == 0, "flags");
}

}  // namespace ferry::test
