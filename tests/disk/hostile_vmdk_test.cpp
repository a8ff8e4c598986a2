// SPDX-License-Identifier: Apache-2.0
// VMDK files that make QEMU open a file of the host which our reader does not see: they are refused before QEMU, or
// qemu-img, comes near them. Whether the file was opened, the kernel says.
#include <array>
#include <gtest/gtest.h>
#include <map>
#include <sys/inotify.h>
#include <unistd.h>

#include "converters/disk.hpp"
#include "converters/qemu_img.hpp"
#include "tests/kit/disk_images.hpp"
#include "tests/kit/files.hpp"
#include "tests/kit/folder.hpp"

#include "support/cage.hpp"
#include "support/error.hpp"
#include "support/file.hpp"

namespace ferry::test {
namespace {

// Sees whether anybody opens a file.
class Watched {
 public:
  explicit Watched(const std::filesystem::path &file) : events_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
    EXPECT_GE(inotify_add_watch(events_.get(), file.c_str(), IN_OPEN), 0);
  }
  // Since it was asked last.
  [[nodiscard]] bool opened() const {
    std::array<char, 4096> events{};
    return read(events_.get(), events.data(), events.size()) > 0;
  }

 private:
  file::Descriptor events_;
};

struct HostileVmdk : testing::Test {
  TempFolder folder;
  std::filesystem::path secret = folder / "secret";
  std::filesystem::path image = folder / "machine/disk.vmdk";

  void SetUp() override {
    if (!qemu_img::available()) GTEST_SKIP() << "no qemu-img";
    write_file(secret, Bytes(1U << 20U, 's'));
    folder.write("machine/disk-flat.vmdk", std::string(1U << 20U, 'd'));
  }

  static std::string flat(const std::string &more) {
    return vmdk_descriptor("monolithicFlat", "RW 2048 FLAT \"disk-flat.vmdk\" 0\n" + more);
  }

  // The first number of sectors of a hosted sparse file, whose descriptor names the secret.
  void write_without_capacity() const {
    const Layer layer{.size = 1U << 20U, .block_size = 65536, .blocks = std::vector<Block>(16, Block::data)};
    Bytes bytes = make_hosted_sparse(
        layer, {.descriptor = vmdk_descriptor("monolithicFlat", "RW 2048 FLAT \"" + secret.string() + "\" 0\n")});
    std::fill(bytes.begin() + 12, bytes.begin() + 20, std::uint8_t{0});
    write_file(image, bytes);
  }

  void expect_refused() {
    const Watched watched(secret);
    for (const auto &[mode, engine] :
         {std::pair(disk::Mode::link, disk::Engine::automatic), std::pair(disk::Mode::overlay, disk::Engine::automatic),
          std::pair(disk::Mode::copy, disk::Engine::qemu_img)}) {
      disk::ConvertRequest request{.target = folder / "out.qcow2", .engine = engine, .mode = mode};
      request.medium.chain.push_back(image_file(image));
      EXPECT_THROW((void)disk::convert(request, nullptr, {}), Error) << static_cast<int>(mode);
      EXPECT_FALSE(watched.opened()) << static_cast<int>(mode);
      EXPECT_FALSE(std::filesystem::exists(request.target));
    }
    EXPECT_THROW((void)disk::inspect({.chain = {image_file(image)}}, {}, disk::Engine::qemu_img), Error);
    EXPECT_FALSE(watched.opened());
    // What would have been opened: QEMU left alone with the image does, where nothing but our checks keeps it from
    // that.
    try {
      (void)qemu_img::info({.format = ImageFormat::vmdk, .range = {.file = image}});
    } catch (const Error &) {
    }
    seen_by_qemu = watched.opened();
  }
  bool seen_by_qemu = false;
};

TEST_F(HostileVmdk, HeaderWithoutACapacity) {
  write_without_capacity();
  expect_refused();
  EXPECT_EQ(seen_by_qemu, cage::offered().landlock == 0);
}

TEST_F(HostileVmdk, ExtentLinePartedByOtherWhiteSpace) {
  for (const std::string space : {"\v", "\f", "\r"}) {
    const std::string line =
        "RW" + space + "2048" + space + "FLAT" + space + "\"" + secret.string() + "\"" + space + "0\n";
    write_file(image, std::string_view(flat(line)));
    expect_refused();
    EXPECT_EQ(seen_by_qemu, cage::offered().landlock == 0) << static_cast<int>(space[0]);
  }
}

TEST_F(HostileVmdk, ExtentFileWithoutACapacity) {
  write_without_capacity();
  std::filesystem::rename(image, folder / "machine/disk-s001.vmdk");
  write_file(image, std::string_view(vmdk_descriptor("twoGbMaxExtentSparse", "RW 2048 SPARSE \"disk-s001.vmdk\"\n")));
  expect_refused();
}

TEST_F(HostileVmdk, ParentsNameInAComment) {
  write_file(image, std::string_view(flat("# parentFileNameHint=\"" + secret.string() + "\"\n")));
  expect_refused();
}

TEST_F(HostileVmdk, ExtentsNameThatIsAProtocol) {
  folder.write("machine/fat:x", std::string(1U << 20U, 'd'));
  write_file(image, std::string_view(vmdk_descriptor("monolithicFlat", "RW 2048 FLAT \"fat:x\" 0\n")));
  expect_refused();
}

// A descriptor can name other files tomorrow, and QEMU reads it at every start.
TEST_F(HostileVmdk, ExtentsByNameAreNotUsedInPlace) {
  write_file(image, std::string_view(flat("")));
  for (const disk::Mode mode : {disk::Mode::link, disk::Mode::overlay}) {
    disk::ConvertRequest request{.target = folder / "out.qcow2", .mode = mode};
    request.medium.chain.push_back(image_file(image));
    try {
      (void)disk::convert(request, nullptr, {});
      FAIL() << static_cast<int>(mode);
    } catch (const Error &error) {
      EXPECT_EQ(error.kind(), ErrorKind::unsupported);
      EXPECT_NE(error.detail().found.find("its descriptor names"), std::string::npos) << error.what();
    }
  }
}

TEST_F(HostileVmdk, SoundOneIsTaken) {
  const Layer layer{.size = 1U << 20U, .block_size = 65536, .blocks = std::vector<Block>(16, Block::data)};
  write_file(image, make_hosted_sparse(
                        layer, {.descriptor = vmdk_descriptor("monolithicSparse", "RW 2048 SPARSE \"disk.vmdk\"\n")}));
  for (const auto &[mode, engine] :
       {std::pair(disk::Mode::link, disk::Engine::automatic), std::pair(disk::Mode::overlay, disk::Engine::automatic),
        std::pair(disk::Mode::copy, disk::Engine::qemu_img)}) {
    disk::ConvertRequest request{
        .target = folder / ("out" + std::to_string(static_cast<int>(mode))), .engine = engine, .mode = mode};
    request.medium.chain.push_back(image_file(image));
    EXPECT_NO_THROW((void)disk::convert(request, nullptr, {})) << static_cast<int>(mode);
  }
}

}  // namespace
}  // namespace ferry::test
