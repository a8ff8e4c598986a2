// SPDX-License-Identifier: Apache-2.0
// How fast conversions are, as ratios against other tools in the same run on the same data.
//
//   ferry_bench all FOLDER [ROUNDS]      everything; FOLDER needs 30 GiB; as root also on loop-mounted XFS and Btrfs
//   ferry_bench ova|formats|snapshots|memory FOLDER [ROUNDS], ferry_bench share FOLDER_ON_XFS [ROUNDS]
//   ferry_bench convert TARGET SHARE IMAGE...   one conversion, what the others are compared with: a chain, base
//                                               first; "keep" as the first image keeps the lower ones as snapshots
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include "converters/disk.hpp"
#include "tests/bench/runs.hpp"
#include "tests/bench/sources.hpp"

#include "support/error.hpp"
#include "support/subprocess.hpp"

namespace ferry::bench {

namespace {

using std::filesystem::path;

std::string self;

bool installed(const char *program) { return !subprocess::find_program(program).empty(); }

// "FILE" or "FILE@OFFSET+LENGTH".
ImageFile image_file(const std::string &text) {
  FileRange range{.file = text};
  if (const auto at = text.find('@'); at != std::string::npos) {
    const auto plus = text.find('+', at);
    range = {.file = text.substr(0, at),
             .offset = std::stoull(text.substr(at + 1, plus - at - 1)),
             .length = std::stoull(text.substr(plus + 1))};
  }
  return {.declared_location = text, .pieces = {range}};
}

int convert(const std::vector<std::string> &arguments) {
  disk::ConvertRequest request{.target = arguments.at(0),
                               .mode = arguments.at(1) == "share" ? disk::Mode::share : disk::Mode::copy};
  request.durable = false;
  bool keep = false;
  for (std::size_t i = 2; i < arguments.size(); ++i) {
    if (arguments[i] == "keep") {
      keep = true;
    } else if (arguments[i].starts_with("threads=")) {
      request.threads = static_cast<unsigned>(std::stoul(arguments[i].substr(8)));
    } else if (arguments[i] == "durable") {
      request.durable = true;
    } else if (arguments[i] == "hash") {
      request.source_digest = disk::SourceDigest{.algorithm = "SHA256", .expected = ""};
    } else {
      if (keep && !request.medium.chain.empty()) {
        request.snapshots.push_back({.name = "state " + std::to_string(i), .created = 1, .medium = request.medium});
      }
      request.medium.chain.push_back(image_file(arguments[i]));
    }
  }
  disk::convert(request, nullptr, {});
  return 0;
}

std::vector<std::string> ours(const path &target, std::vector<std::string> images, const std::string &mode = "copy") {
  images.insert(images.begin(), {self, "convert", target.string(), mode});
  return images;
}

std::function<void()> remove_first(const path &target) {
  return [target] {
    std::filesystem::remove(target);
    sync();  // what an earlier run left dirty must not be written in the next one's time
  };
}

void make_once(const path &file, const std::function<void(const path &)> &make) {
  if (std::filesystem::exists(file)) return;
  std::printf("making %s ...\n", file.c_str());
  std::fflush(stdout);
  const path part = file.string() + ".part";
  std::filesystem::remove(part);
  make(part);
  std::filesystem::rename(part, file);
}

path flat_vdi(const path &folder) {
  path vdi = folder / "flat.vdi";
  make_once(vdi, [](const path &part) { make_vdi(part, 4 * kGib, 2 * kGib); });
  return vdi;
}

void ova(const path &folder, unsigned rounds) {
  const path vdi = flat_vdi(folder), vmdk = folder / "disk1.vmdk", ova = folder / "machine.ova";
  make_once(vmdk, [&](const path &part) {
    run({"qemu-img", "convert", "-f", "vdi", "-O", "vmdk", "-o", "subformat=streamOptimized", vdi, part});
  });
  make_once(ova, [&](const path &part) {
    std::ofstream(folder / "machine.ovf") << "<Envelope/>\n";
    run({"tar", "-C", folder, "--format=ustar", "-cf", part, "machine.ovf", "disk1.vmdk"});
  });
  // One 512-byte header and one block of text come before the member's own header.
  const std::string member = ova.string() + "@1536+" + std::to_string(std::filesystem::file_size(vmdk));
  const path target = folder / "out.qcow2", unpacked = folder / "unpacked";
  std::filesystem::create_directories(unpacked);
  const path inner = unpacked / "disk1.vmdk";
  const auto prepare = [&] {
    remove_first(target)();
    std::filesystem::remove(inner);
  };
  std::vector<Contender> contenders = {
      {"virt-ferry", {ours(target, {member})}, prepare},
      {"virt-ferry, with the manifest's SHA256", {ours(target, {"hash", member})}, prepare},
      {"tar x; qemu-img convert",
       {{"tar", "-C", unpacked, "-xf", ova}, {"qemu-img", "convert", "-f", "vmdk", "-O", "qcow2", inner, target}},
       prepare},
      {"tar x; qemu-img convert -W -m 16",
       {{"tar", "-C", unpacked, "-xf", ova},
        {"qemu-img", "convert", "-W", "-m", "16", "-f", "vmdk", "-O", "qcow2", inner, target}},
       prepare}};
  if (installed("nbdcopy") && installed("qemu-nbd")) {
    contenders.push_back({"tar x; nbdcopy from and to qemu-nbd",
                          {{"tar", "-C", unpacked, "-xf", ova},
                           {"qemu-img", "create", "-q", "-f", "qcow2", target, std::to_string(4 * kGib)},
                           {"nbdcopy", "--", "[", "qemu-nbd", "-r", "-f", "vmdk", inner, "]", "[", "qemu-nbd", "-f",
                            "qcow2", "--discard=unmap", target, "]"}},
                          prepare});
  }
  compete(contenders, rounds);
  print("OVA (streamOptimized) to qcow2", contenders);
  std::filesystem::remove_all(unpacked);
  std::filesystem::remove(target);
}

void format(const std::string &title, const path &source, const std::string &options, const path &folder,
            unsigned rounds) {
  const path target = folder / "out.qcow2";
  const auto prepare = remove_first(target);
  const std::string image = options + ",file.filename=" + source.string();
  std::vector<Contender> contenders = {
      {"virt-ferry", {ours(target, {source})}, prepare},
      {"qemu-img convert", {{"qemu-img", "convert", "--image-opts", "-O", "qcow2", image, target}}, prepare},
      {"qemu-img convert -W -m 16",
       {{"qemu-img", "convert", "-W", "-m", "16", "--image-opts", "-O", "qcow2", image, target}},
       prepare},
      {"cp --reflink=never", {{"cp", "--reflink=never", source, target}}, prepare},
      {"cp --reflink=never; sync", {{"cp", "--reflink=never", source, target}, {"sync", target}}, prepare}};
  compete(contenders, rounds);
  print(title, contenders);
  std::filesystem::remove(target);
}

void formats(const path &folder, unsigned rounds) {
  const path vdi = flat_vdi(folder), vmdk = folder / "sparse.vmdk", vhd = folder / "dynamic.vhd";
  make_once(vmdk, [&](const path &part) {
    run({"qemu-img", "convert", "-f", "vdi", "-O", "vmdk", "-o", "subformat=monolithicSparse", vdi, part});
  });
  make_once(vhd, [&](const path &part) {
    run({"qemu-img", "convert", "-f", "vdi", "-O", "vpc", "-o", "subformat=dynamic,force_size=on", vdi, part});
  });
  format("VDI to qcow2", vdi, "driver=vdi", folder, rounds);
  format("sparse VMDK to qcow2", vmdk, "driver=vmdk", folder, rounds);
  format("dynamic VHD to qcow2", vhd, "driver=vpc,force_size_calc=current_size", folder, rounds);
}

void snapshots(const path &folder, unsigned rounds) {
  const path vdi = flat_vdi(folder), chain_folder = folder / "chain", target = folder / "out.qcow2";
  std::vector<std::string> images = {"keep"};
  make_once(chain_folder, [](const path &part) {
    std::filesystem::create_directories(part);
    (void)make_chain(part, 4 * kGib, 2 * kGib, 10);
  });
  for (int i = 0; i <= 10; ++i) images.push_back(chain_folder / ("chain-" + std::to_string(i) + ".vdi"));
  std::vector<Contender> contenders = {{"one flat VDI", {ours(target, {vdi})}, remove_first(target)},
                                       {"VDI with 10 snapshots, kept", {ours(target, images)}, remove_first(target)}};
  compete(contenders, rounds);
  print("10 snapshots against a flat disk of as much data", contenders);
  std::filesystem::remove(target);
}

void share(const path &folder, unsigned rounds) {
  const path vdi = folder / "large.vdi", target = folder / "out.qcow2";
  make_once(vdi, [](const path &part) { make_vdi(part, 100 * kGib, 4 * kGib); });
  sync();
  std::vector<Contender> contenders = {
      {"cp --reflink=always", {{"cp", "--reflink=always", vdi, target}}, remove_first(target)},
      {"cp --reflink=always; sync", {{"cp", "--reflink=always", vdi, target}, {"sync", target}}, remove_first(target)},
      {"virt-ferry, shared", {ours(target, {vdi}, "share")}, remove_first(target)}};
  compete(contenders, rounds);
  print("100 GiB VDI with 4 GiB of data, blocks shared, on " + folder.string(), contenders);
  std::filesystem::remove(target);
  sync();
  const auto before = static_cast<double>(std::filesystem::space(folder).free);
  run(ours(target, {vdi}, "share"));
  sync();
  const auto after = static_cast<double>(std::filesystem::space(folder).free);
  std::printf("  extra space: %.2f MiB, %.3f %% of the data\n", (before - after) / kMib,
              100.0 * (before - after) / (4.0 * kGib));
  std::filesystem::remove(target);
}

void share_on(const path &folder, const char *kind, const std::vector<std::string> &mkfs, unsigned rounds) {
  if (geteuid() != 0 || !installed(mkfs.front().c_str())) return;
  const path image = folder / (std::string(kind) + ".img"), mount = folder / kind;
  std::filesystem::create_directories(mount);
  std::filesystem::remove(image);
  run({"truncate", "-s", "12G", image});
  std::vector<std::string> make = mkfs;
  make.push_back(image);
  run(make);
  run({"mount", "-o", "loop", image, mount});
  try {
    share(mount, rounds);
  } catch (const std::exception &error) {
    std::printf("sharing on %s failed: %s\n", kind, error.what());
  }
  run({"umount", mount});
  std::filesystem::remove(image);
}

void memory(const path &folder) {
  const path vdi = folder / "huge.vdi", vmdk = folder / "huge.vmdk", target = folder / "out.qcow2";
  make_once(vdi, [](const path &part) { make_vdi(part, 2048 * kGib, kGib); });
  make_once(vmdk, [&](const path &part) {
    run({"qemu-img", "convert", "-f", "vdi", "-O", "vmdk", "-o", "subformat=monolithicSparse", vdi, part});
  });
  std::vector<Contender> contenders = {
      {"VDI, 2 TiB virtual, 1 GiB data", {ours(target, {vdi})}, remove_first(target)},
      {"sparse VMDK, 2 TiB virtual, 1 GiB data", {ours(target, {vmdk})}, remove_first(target)}};
  compete(contenders, 1);
  print("Peak memory", contenders);
  std::filesystem::remove(target);
}

int main(const std::vector<std::string> &arguments) {
  const std::string &what = arguments.at(0);
  if (what == "convert") return convert({arguments.begin() + 1, arguments.end()});
  const path folder = std::filesystem::absolute(arguments.at(1));
  const auto rounds = static_cast<unsigned>(arguments.size() > 2 ? std::stoul(arguments[2]) : 5);
  const bool all = what == "all";
  std::filesystem::create_directories(folder);
  if (all || what == "ova") ova(folder, rounds);
  if (all || what == "formats") formats(folder, rounds);
  if (all || what == "snapshots") snapshots(folder, rounds);
  if (all || what == "memory") memory(folder);
  if (what == "share") share(folder, rounds);
  if (all || what == "shares") {
    share_on(folder, "xfs", {"mkfs.xfs", "-q", "-m", "reflink=1"}, rounds);
    share_on(folder, "btrfs", {"mkfs.btrfs", "-q"}, rounds);
  }
  return 0;
}

}  // namespace

}  // namespace ferry::bench

int main(int count, char **arguments) {
  try {
    ferry::bench::self = std::filesystem::read_symlink("/proc/self/exe");
    return ferry::bench::main({arguments + 1, arguments + count});
  } catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
