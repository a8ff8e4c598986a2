// SPDX-License-Identifier: Apache-2.0
#include "tests/look_inside/disks.hpp"

#include <fcntl.h>
#include <memory>
#include <stdexcept>
#include <unistd.h>

#include "converters/guest/look.hpp"
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

void make_ext(const fs::path &file, std::uint64_t size, const Files &files, const std::string &kind,
              const std::vector<std::string> &options) {
  const TempFolder root;
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
