// SPDX-License-Identifier: Apache-2.0
#include "tests/look_inside/disks.hpp"

#include <fcntl.h>
#include <memory>
#include <stdexcept>
#include <unistd.h>

#include "converters/guest/look.hpp"
#include "tests/kit/byte_writer.hpp"
#include "tests/kit/folder.hpp"

#include "support/file.hpp"

namespace ferry::test {
namespace {

namespace fs = std::filesystem;

void check(bool good, const std::string &what) {
  if (!good) throw std::runtime_error("cannot make a disk: " + what);
}

void copy_data(const fs::path &from, int to, std::uint64_t at) {
  const file::Descriptor in(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  check(static_cast<bool>(in), from.string());
  Bytes buffer(kMiB);
  const off_t size = ::lseek(in.get(), 0, SEEK_END);
  for (off_t data = 0; data < size;) {
    data = ::lseek(in.get(), data, SEEK_DATA);
    if (data < 0) break;
    const off_t hole = ::lseek(in.get(), data, SEEK_HOLE);
    while (data < hole) {
      const ssize_t got = ::pread(in.get(), buffer.data(),
                                  std::min<std::size_t>(buffer.size(), static_cast<std::size_t>(hole - data)), data);
      check(got > 0 && ::pwrite(to, buffer.data(), static_cast<std::size_t>(got), static_cast<off_t>(at) + data) == got,
            "copy");
      data += got;
    }
  }
}

}  // namespace

void make_disk(const fs::path &disk, const std::string &table, const std::vector<Placed> &volumes) {
  std::string script = "label: " + table + "\nunit: sectors\n";
  std::vector<std::uint64_t> starts;
  std::uint64_t at = kMiB;
  for (const Placed &volume : volumes) {
    const std::uint64_t size = (fs::file_size(volume.file) + kMiB - 1) / kMiB * kMiB;
    script +=
        "start=" + std::to_string(at / 512) + ", size=" + std::to_string(size / 512) + ", type=" + volume.type + "\n";
    starts.push_back(at);
    at += size;
  }
  const fs::path list = disk.string() + ".sfdisk";
  write_file(list, script);
  write_file(disk, Bytes());
  fs::resize_file(disk, at + kMiB);
  check(run({"sh", "-c", "sfdisk --quiet \"$1\" < \"$2\"", "sh", disk.string(), list.string()}) == 0,
        "sfdisk " + script);
  fs::remove(list);
  const file::Descriptor out(::open(disk.c_str(), O_WRONLY | O_CLOEXEC));
  for (std::size_t i = 0; i < volumes.size(); ++i) copy_data(volumes[i].file, out.get(), starts[i]);
}

void write_tree(const Files &files, const TempFolder &root) {
  for (const auto &[path, content] : files) {
    if (path.ends_with('/')) {
      fs::create_directories(root.path() / path);
    } else if (content.starts_with("-> ")) {
      fs::create_directories((root.path() / path).parent_path());
      fs::create_symlink(content.substr(3), root.path() / path);
    } else {
      root.write(path, content);
    }
  }
}

void make_btrfs(const fs::path &file, std::uint64_t size, const Files &files, const std::vector<std::string> &options) {
  const TempFolder root;
  write_tree(files, root);
  write_file(file, Bytes());
  fs::resize_file(file, size);
  std::vector<std::string> arguments{"mkfs.btrfs", "-q", "-f", "-L", "system", "--rootdir", root.path().string()};
  arguments.insert(arguments.end(), options.begin(), options.end());
  arguments.push_back(file.string());
  check(run(arguments) == 0, "mkfs.btrfs");
}

void make_ext(const fs::path &file, std::uint64_t size, const Files &files, const std::string &kind,
              const std::vector<std::string> &options) {
  const TempFolder root;
  write_tree(files, root);
  write_file(file, Bytes());
  fs::resize_file(file, size);
  std::vector<std::string> arguments{"mke2fs", "-q", "-F", "-t", kind, "-d", root.path().string()};
  arguments.insert(arguments.end(), options.begin(), options.end());
  arguments.push_back(file.string());
  check(run(arguments) == 0, "mke2fs");
}

void make_fat(const fs::path &file, std::uint64_t size, const Files &files, const std::string &bits) {
  write_file(file, Bytes());
  fs::resize_file(file, size);
  check(run({"mkfs.fat", "-F", bits, "-n", "FIRMWARE", file.string()}) == 0, "mkfs.fat");
  const TempFolder folder;
  for (const auto &[path, content] : files) {
    for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1))
      run({"mmd", "-D", "s", "-i", file.string(), "::/" + path.substr(0, slash)});  // it may be there
    const fs::path source = folder.write("file", content);
    check(run({"mcopy", "-i", file.string(), source.string(), "::/" + path}) == 0, "mcopy " + path);
  }
}

// In another program's hands: cpio's own.
std::string archive_of(const std::vector<std::string> &names, const std::string &packer) {
  const TempFolder folder;
  std::string list;
  for (const std::string &name : names) {
    folder.write("root/" + name, "x");
    list += name + "\n";
  }
  folder.write("list", list);
  const std::string command = "cd \"$1/root\" && cpio -o -H newc --quiet < ../list | " + packer + " > ../out";
  if (run({"sh", "-c", command, "sh", folder.path().string()}) != 0) throw std::runtime_error(command);
  return read_text(folder / "out");
}

Files debian() {
  return {{"etc/os-release", "-> ../usr/lib/os-release"},
          {"usr/lib/os-release", "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"},
          {"etc/hostname", "# the name\nweb\n"},
          {"etc/fstab", "# comment\nUUID=11 / ext4 defaults 0 1\n/dev/sda5 none swap sw 0 0\n"},
          {"etc/crypttab", "data /dev/sdb1 none luks\n"},
          {"etc/network/interfaces", "auto lo\niface lo inet loopback\nallow-hotplug ens33\niface ens33 inet dhcp\n"},
          {"usr/bin/env", std::string("\x7f"
                                      "ELF\2\1\1\0\0\0\0\0\0\0\0\0\3\0\x3e\0",
                                      20)},
          {"usr/bin/vmtoolsd", "x"},
          {"boot/vmlinuz-6.1.0-9-amd64", "kernel"},
          {"boot/vmlinuz-6.1.0-10-amd64", "kernel"}};
}

namespace {

// Files laid out below a folder, as mke2fs and mkfs.xfs take them.
struct Tree {
  std::map<std::string, Tree> folders;
  std::map<std::string, std::string> files;  // the content, or "-> target"
};

Tree tree_of(const Files &files) {
  Tree root;
  for (const auto &[path, content] : files) {
    Tree *at = &root;
    std::size_t begin = 0;
    for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', begin)) {
      at = &at->folders[path.substr(begin, slash - begin)];
      begin = slash + 1;
    }
    if (begin < path.size()) at->files[path.substr(begin)] = content;
  }
  return root;
}

// mkfs.xfs' prototype: a line for each file, "$" ends a folder.
void write_prototype(const Tree &tree, const TempFolder &folder, std::size_t &number, std::string &out) {
  for (const auto &[name, content] : tree.files) {
    if (content.starts_with("-> ")) {
      out += name + " l--777 0 0 " + content.substr(3) + "\n";
    } else {
      out += name + " ---644 0 0 " + folder.write("f" + std::to_string(number++), content).string() + "\n";
    }
  }
  for (const auto &[name, below] : tree.folders) {
    out += name + " d--755 0 0\n";
    write_prototype(below, folder, number, out);
  }
  out += "$\n";
}

}  // namespace

void make_xfs(const fs::path &file, std::uint64_t size, const Files &files, const std::vector<std::string> &options) {
  const TempFolder folder;
  std::string prototype = "/\n0 0\nd--755 0 0\n";
  std::size_t number = 0;
  write_prototype(tree_of(files), folder, number, prototype);
  write_file(file, Bytes());
  fs::resize_file(file, size);
  std::vector<std::string> arguments{"mkfs.xfs", "-q", "-L",
                                     "system",   "-p", folder.write("prototype", prototype).string()};
  arguments.insert(arguments.end(), options.begin(), options.end());
  arguments.push_back(file.string());
  check(run(arguments) == 0, "mkfs.xfs");
}

namespace {

std::uint32_t sum_of(const Bytes &bytes, std::size_t from, std::size_t to) {
  std::uint32_t out = 0xf597a6cf;
  for (std::size_t i = from; i < to; ++i) {
    out ^= bytes[i];
    for (int bit = 0; bit < 8; ++bit) out = (out & 1U) != 0 ? out >> 1U ^ 0xedb88320U : out >> 1U;
  }
  return out;
}

}  // namespace

Bytes lvm_front(char id, const std::string &text, std::size_t at) {
  Bytes out(kLvmFront);
  ByteWriter writer(out);
  writer.text(512, "LABELONE");
  writer.little(520, 1, 8);
  writer.little(532, 32, 4);
  writer.text(536, "LVM2 001");
  writer.text(544, std::string(32, id));
  writer.little(576, std::uint64_t{64} * kMiB, 8);
  writer.little(584, kLvmFront, 8);
  writer.little(616, kLvmArea, 8);
  writer.little(624, kLvmAreaSize, 8);
  writer.little(528, sum_of(out, 532, 1024), 4);
  const Bytes plain(text.begin(), text.end());
  for (std::size_t i = 0; i < plain.size(); ++i)
    out[kLvmArea + (at + i < kLvmAreaSize ? at + i : 512 + at + i - kLvmAreaSize)] = plain[i];
  writer.text(kLvmArea + 4, " LVM2 x[5A%r0N*>");
  writer.little(kLvmArea + 20, 1, 4);
  writer.little(kLvmArea + 24, kLvmArea, 8);
  writer.little(kLvmArea + 32, kLvmAreaSize, 8);
  writer.little(kLvmArea + 40, at, 8);
  writer.little(kLvmArea + 48, plain.size(), 8);
  writer.little(kLvmArea + 56, sum_of(plain, 0, plain.size()), 4);
  writer.little(kLvmArea, sum_of(out, kLvmArea + 4, kLvmArea + 512), 4);
  return out;
}

Observed look_at(const std::vector<fs::path> &disks) {
  std::vector<std::unique_ptr<const image::Chain>> chains;
  guest::Look look;
  for (const fs::path &disk : disks) {
    Medium raw;
    raw.chain.push_back(image_file(disk, ImageFormat::raw));
    chains.push_back(std::make_unique<const image::Chain>(image::open_chain(raw, {})));
    look.add(chains.size(), *chains.back());
  }
  return look.done();
}

}  // namespace ferry::test
