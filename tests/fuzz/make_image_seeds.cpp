// SPDX-License-Identifier: Apache-2.0
// Writes sound images of every format as seeds for the fuzz targets: make_image_seeds FOLDER.
#include <filesystem>
#include <string>

#include "tests/support/disk_images.hpp"

using namespace ferry::test;

int main(int count, char **arguments) {
  if (count != 2) return 2;
  const std::filesystem::path folder = arguments[1];
  const auto put = [&](const std::string &format, const std::string &name, const Bytes &bytes) {
    std::filesystem::create_directories(folder / format);
    write_file(folder / format / name, bytes);
  };
  const auto text = [](const std::string &words) { return Bytes(words.begin(), words.end()); };
  Layer layer{.size = 6 * 4096 - 512, .block_size = 4096, .blocks = {}, .tag = 1, .order = {5, 0, 3, 1, 2, 4}};
  layer.blocks = {Block::data, Block::absent, Block::zero, Block::data, Block::data, Block::data};
  Layer partial = layer;
  partial.blocks = {Block::data, Block::partial, Block::absent, Block::data, Block::partial, Block::data};
  Identity child;
  child.id = uuid_of(2);
  child.parent = uuid_of(1);
  child.parent_name = "parent";
  const std::string line = "RW 47 SPARSE \"disk\"\n";
  put("vdi", "dynamic", make_vdi(layer));
  put("vdi", "old", make_vdi(layer, {}, {.version = 2}));
  put("vdi", "child", make_vdi(layer, child));
  put("vmdk_sparse", "plain",
      make_hosted_sparse(layer, {.descriptor = vmdk_descriptor("monolithicSparse", line), .redundant = true}));
  put("vmdk_sparse", "tables",
      make_hosted_sparse(layer, {.descriptor = vmdk_descriptor("monolithicSparse", line), .entries_per_table = 4}));
  put("vmdk_stream", "footer",
      make_hosted_sparse(layer,
                         {.descriptor = vmdk_descriptor("streamOptimized", line), .compressed = true, .footer = true}));
  put("vmdk_stream", "header",
      make_hosted_sparse(layer, {.descriptor = vmdk_descriptor("streamOptimized", line), .compressed = true}));
  put("cowd", "delta", make_cowd(partial));
  put("sesparse", "delta", make_sesparse(layer));
  put("vhd", "dynamic", make_vhd(partial));
  put("vhd", "child", make_vhd(partial, child));
  put("vhd", "fixed", make_fixed_vhd(Bytes(2048, 1)));
  put("gzip", "members", make_gzip(Bytes(5000, 7), 1000));
  put("vmdk_descriptor", "mixed",
      text(vmdk_descriptor("monolithicFlat",
                           "RW 8 FLAT \"flat\" 3\nRDONLY 4 ZERO\nNOACCESS 5 FLAT \"flat\" 0\nRW 9 SPARSE \"disk\"\n",
                           child, true)));
  put("vmdk_descriptor", "encoding",
      text("# Disk DescriptorFile\r\nencoding=\"windows-1252\"\r\nparentFileNameHint=\"..\\x\"\r\nRW 1 FLAT \"m\xfc\" "
           "0\r\n"));
  Bytes qcow(1024);
  const std::string magic("QFI\xfb\0\0\0\3", 8);
  std::copy(magic.begin(), magic.end(), qcow.begin());
  qcow[103] = 104;
  put("foreign", "qcow2", qcow);
  Bytes qed(1024);
  qed[0] = 'Q', qed[1] = 'E', qed[2] = 'D';
  put("foreign", "qed", qed);
  put("foreign", "parallels", text("WithoutFreeSpace" + std::string(100, '\1')));
  put("vhdx", "dynamic",
      make_vhdx({.size = 1U << 20U, .block_size = 1U << 20U, .blocks = {Block::absent}, .order = {}}));
  put("vhdx", "log",
      make_vhdx({.size = 1U << 20U, .block_size = 1U << 20U, .blocks = {Block::absent}, .order = {}}, {},
                {.dirty_log = true}));
  return 0;
}
