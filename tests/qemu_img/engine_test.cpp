// SPDX-License-Identifier: Apache-2.0
// The engine with the real qemu-img, and with programs that behave as badly as one can.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "converters/qemu_img.hpp"
#include "converters/verify/nbd_server.hpp"
#include "tests/qemu_img/scratch.hpp"

#include "support/cage.hpp"
#include "support/error.hpp"
#include "support/subprocess.hpp"

namespace ferry::qemu_img {
namespace {

using namespace std::chrono_literals;
using test::Scratch;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr std::uint64_t kMib = 1024U * 1024;

// Bytes that no compression and no zero detection takes for something else.
std::string noise(std::size_t size) {
  std::string out(size, '\0');
  std::uint32_t state = 2463534242U;
  for (char &c : out) {
    state ^= state << 13U;
    state ^= state >> 17U;
    state ^= state << 5U;
    c = static_cast<char>(state & 0xffU);
  }
  return out;
}

Source whole(ImageFormat format, const std::filesystem::path &file) {
  return {.format = format, .range = {.file = file, .offset = 0, .length = {}}};
}

ConvertRequest to_qcow2(Source source, const std::filesystem::path &target) {
  ConvertRequest out;
  out.source = std::move(source);
  out.target = target;
  return out;
}

// Makes a test image with qemu-img itself.
void make(const std::vector<std::string> &arguments) {
  const auto result = subprocess::run({.program = "qemu-img", .arguments = arguments, .limits = {}, .on_line = {}});
  ASSERT_TRUE(result.ok()) << result.errors;
}

class Counter : public Progress {
 public:
  void begin(std::string_view name, std::uint64_t bytes) override {
    step = name;
    total = bytes;
  }
  void advance(std::uint64_t bytes) override { done += bytes; }
  void end() override { ++ends; }
  std::string step;
  std::uint64_t total = 0, done = 0;
  int ends = 0;
};

template <class Call>
Error error_of(Call call) {
  try {
    call();
  } catch (const Error &error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return Error(ErrorKind::internal, {});
}

class RealQemuImg : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!available()) GTEST_SKIP() << "qemu-img is not installed";
    raw_ = scratch_.write("disk.raw", noise(300000) + std::string(kMib - 300000, '\0'));
  }
  Scratch scratch_;
  std::filesystem::path raw_;
};

TEST_F(RealQemuImg, SaysItsVersion) { EXPECT_TRUE(std::isdigit(version().at(0))) << version(); }

TEST_F(RealQemuImg, ConvertsEachFormatToTheSameContent) {
  const std::vector<std::pair<ImageFormat, std::string>> formats = {
      {ImageFormat::vdi, "vdi"},   {ImageFormat::vmdk, "vmdk"},  {ImageFormat::vhd, "vpc"},
      {ImageFormat::vhdx, "vhdx"}, {ImageFormat::raw, "raw"},    {ImageFormat::qed, "qed"},
      {ImageFormat::qcow, "qcow"}, {ImageFormat::qcow2, "qcow2"}};
  for (const auto &[format, driver] : formats) {
    const auto image = scratch_ / ("image." + driver);
    std::vector<std::string> arguments = {"convert", "-f", "raw", "-O", driver};
    if (format == ImageFormat::vhd) arguments.insert(arguments.end(), {"-o", "force_size"});
    arguments.insert(arguments.end(), {raw_.string(), image.string()});
    make(arguments);
    const auto target = scratch_ / (driver + ".qcow2");
    convert(to_qcow2(whole(format, image), target), nullptr);
    EXPECT_EQ(compare(whole(ImageFormat::raw, raw_), whole(ImageFormat::qcow2, target), false).message, "") << driver;
    EXPECT_EQ(info(whole(ImageFormat::qcow2, target)).virtual_size, kMib) << driver;
  }
}

TEST_F(RealQemuImg, ReadsADiskInsideAnOvaInPlace) {
  const auto disk = scratch_ / "disk.vmdk";
  make({"convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=streamOptimized", raw_.string(), disk.string()});
  const auto content = test::read_text(disk);
  const auto ova = scratch_.write("machine.ova", std::string(512, 'h') + content + noise(4096));
  const Source source{.format = ImageFormat::vmdk, .range = {.file = ova, .offset = 512, .length = content.size()}};
  const auto target = scratch_ / "out.raw";
  auto request = to_qcow2(source, target);
  request.format = disk::TargetFormat::raw;
  convert(request, nullptr);
  EXPECT_EQ(test::read_text(target), test::read_text(raw_));
}

TEST_F(RealQemuImg, TakesVhdSizeFromItsFooterNotItsGeometry) {
  // 16 MiB is no whole number of cylinders: by geometry the disk ends at 16746496 bytes, as VirtualBox's own do.
  const auto big = scratch_.write("big.raw", std::string(16 * kMib - 4, '\0') + "last");
  const auto vhd = scratch_ / "big.vhd";
  make({"convert", "-f", "raw", "-O", "vpc", "-o", "force_size", big.string(), vhd.string()});
  auto bytes = test::read_text(vhd);
  for (const std::size_t footer : {std::size_t{0}, bytes.size() - 512}) {
    ASSERT_EQ(bytes.substr(footer, 8), "conectix");
    bytes.replace(footer + 28, 4, "vbox");                              // creator application
    bytes.replace(footer + 56, 4, std::string("\x01\xe1\x04\x11", 4));  // 481 cylinders, 4 heads, 17 sectors
    bytes.replace(footer + 64, 4, std::string(4, '\0'));
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < 512; ++i) sum += static_cast<std::uint8_t>(bytes[footer + i]);
    sum = ~sum;
    for (std::size_t i = 0; i < 4; ++i) bytes[footer + 64 + i] = static_cast<char>((sum >> (24 - 8 * i)) & 0xffU);
  }
  scratch_.write("big.vhd", bytes);
  EXPECT_EQ(info(whole(ImageFormat::vhd, vhd)).virtual_size, 16 * kMib);
  const auto target = scratch_ / "out.raw";
  auto request = to_qcow2(whole(ImageFormat::vhd, vhd), target);
  request.format = disk::TargetFormat::raw;
  convert(request, nullptr);
  EXPECT_EQ(test::read_text(target), test::read_text(big));
}

TEST_F(RealQemuImg, IsNotFooledByNames) {
  for (const std::string name : {"json:{}.vmdk", "nbd:localhost:1", "a,b=c,,d.vmdk", "-f raw", "new\nline.vmdk",
                                 "\xff\xfe.vmdk", "%s.vmdk", " .vmdk"}) {
    const Scratch odd;
    const auto plain = scratch_ / "plain.vmdk";
    std::filesystem::remove(plain);
    make({"convert", "-f", "raw", "-O", "vmdk", raw_.string(), plain.string()});
    std::filesystem::rename(plain, odd / name);
    const auto target = odd / (name + ".qcow2");
    convert(to_qcow2(whole(ImageFormat::vmdk, odd / name), target), nullptr);
    EXPECT_FALSE(compare(whole(ImageFormat::raw, raw_), whole(ImageFormat::qcow2, target), false)) << name;
    EXPECT_EQ(odd.names().size(), 2U) << name;
  }
}

TEST_F(RealQemuImg, NeverGuessesTheFormat) {
  // A raw disk whose first sector a guest has written to look like a qcow2 with a backing file.
  const auto qcow2 = scratch_ / "evil.qcow2";
  make({"create", "-q", "-u", "-f", "qcow2", "-b", "/etc/hostname", "-F", "raw", qcow2.string(), "1M"});
  const auto content = test::read_text(qcow2);
  const auto target = scratch_ / "out.raw";
  auto request = to_qcow2(whole(ImageFormat::raw, qcow2), target);
  request.format = disk::TargetFormat::raw;
  convert(request, nullptr);
  EXPECT_EQ(test::read_text(target).substr(0, content.size()), content);
}

TEST_F(RealQemuImg, RefusesToFollowABackingFile) {
  const auto qcow2 = scratch_ / "overlay.qcow2";
  make({"create", "-q", "-u", "-f", "qcow2", "-b", "/etc/hostname", "-F", "raw", qcow2.string(), "1M"});
  const auto error =
      error_of([&] { convert(to_qcow2(whole(ImageFormat::qcow2, qcow2), scratch_ / "out.qcow2"), nullptr); });
  EXPECT_EQ(error.kind(), ErrorKind::unsafe);
  EXPECT_EQ(error.detail().found, "/etc/hostname");
  EXPECT_FALSE(std::filesystem::exists(scratch_ / "out.qcow2"));
}

TEST_F(RealQemuImg, TellsHowFarItIs) {
  Counter counter;
  convert(to_qcow2(whole(ImageFormat::raw, raw_), scratch_ / "out.qcow2"), &counter);
  EXPECT_EQ(counter.step, "out.qcow2: converting");
  EXPECT_EQ(counter.total, kMib);
  EXPECT_EQ(counter.done, kMib);
  EXPECT_EQ(counter.ends, 1);
}

TEST_F(RealQemuImg, CompressesAndSetsTheClusterSize) {
  const auto text = scratch_.write("text.raw", std::string(kMib, 'a'));
  auto request = to_qcow2(whole(ImageFormat::raw, text), scratch_ / "out.qcow2");
  request.compression = disk::Compression::zstd;
  request.cluster_size = 131072;
  convert(request, nullptr);
  const auto made = info(whole(ImageFormat::qcow2, request.target));
  EXPECT_EQ(made.cluster_size, 131072U);
  EXPECT_THAT(made.json, HasSubstr("zstd"));
  EXPECT_LT(std::filesystem::file_size(request.target), kMib);
  EXPECT_FALSE(compare(whole(ImageFormat::raw, text), whole(ImageFormat::qcow2, request.target), false));
}

TEST_F(RealQemuImg, LeavesATargetAlone) {
  const auto target = scratch_.write("taken.qcow2", "mine");
  const auto error = error_of([&] { convert(to_qcow2(whole(ImageFormat::raw, raw_), target), nullptr); });
  EXPECT_EQ(error.kind(), ErrorKind::conflict);
  EXPECT_EQ(test::read_text(target), "mine");
}

TEST_F(RealQemuImg, KeepsTheTargetToItsOwner) {
  const auto target = scratch_ / "out.qcow2";
  convert(to_qcow2(whole(ImageFormat::raw, raw_), target), nullptr);
  EXPECT_EQ(std::filesystem::status(target).permissions() &
                (std::filesystem::perms::group_all | std::filesystem::perms::others_all),
            std::filesystem::perms::none);
}

TEST_F(RealQemuImg, CarriesTheMessageOfAFailureAndLeavesNothing) {
  const auto broken = scratch_.write("broken.vmdk", noise(4096));
  const auto error =
      error_of([&] { convert(to_qcow2(whole(ImageFormat::vmdk, broken), scratch_ / "out.qcow2"), nullptr); });
  EXPECT_EQ(error.kind(), ErrorKind::subprocess);
  EXPECT_EQ(error.detail().where.file, broken);
  EXPECT_THAT(error.detail().found, HasSubstr("Could not open"));
  EXPECT_THAT(scratch_.names(), UnorderedElementsAre("disk.raw", "broken.vmdk"));
}

TEST_F(RealQemuImg, SaysWhenTheDestinationIsNotThere) {
  const auto error =
      error_of([&] { convert(to_qcow2(whole(ImageFormat::raw, raw_), scratch_ / "no/out.qcow2"), nullptr); });
  EXPECT_EQ(error.kind(), ErrorKind::io);
  EXPECT_EQ(error.detail().where.file, scratch_ / "no/out.qcow2");
}

TEST_F(RealQemuImg, CheckFindsDamage) {
  const auto image = scratch_ / "image.qcow2";
  convert(to_qcow2(whole(ImageFormat::raw, raw_), image), nullptr);
  const auto good = check(whole(ImageFormat::qcow2, image));
  EXPECT_TRUE(good.supported);
  EXPECT_TRUE(good.clean());
  EXPECT_GE(good.image_end, 300000U);
  auto bytes = test::read_text(image);
  bytes.replace(2 * 65536, 2, std::string(2, '\0'));  // the first counters of the first refcount block
  scratch_.write("image.qcow2", bytes);
  EXPECT_FALSE(check(whole(ImageFormat::qcow2, image)).clean());
  EXPECT_FALSE(check(whole(ImageFormat::raw, raw_)).supported);
}

TEST_F(RealQemuImg, CompareNamesTheOffset) {
  auto bytes = test::read_text(raw_);
  bytes[65536] = static_cast<char>(bytes[65536] ^ 1);
  const auto other = scratch_.write("other.raw", bytes);
  const auto difference = compare(whole(ImageFormat::raw, raw_), whole(ImageFormat::raw, other), false);
  EXPECT_TRUE(difference);
  EXPECT_THAT(difference.message, HasSubstr("65536"));
}

TEST_F(RealQemuImg, ListsSnapshots) {
  const auto image = scratch_ / "image.qcow2";
  make({"create", "-q", "-f", "qcow2", image.string(), "1M"});
  make({"snapshot", "-c", "before update", image.string()});
  EXPECT_THAT(info(whole(ImageFormat::qcow2, image)).snapshots, ElementsAre("before update"));
}

// A stand-in for qemu-img: `convert` does what the test says, `info` answers as it should.
class FakeQemuImg : public ::testing::Test {
 protected:
  Context with(const std::string &convert_script) {
    Context context;
    context.program =
        scratch_.program("fake",
                         "case $1 in info) echo '{\"format\": \"raw\", \"virtual-size\": 1048576}'; exit 0;; esac\n"
                         "for target; do :; done\n" +
                             convert_script);
    context.read_deadline = 60s;
    return context;
  }
  Error convert_error(const Context &context) {
    const Scratch target;
    auto error = error_of(
        [&] { convert(to_qcow2(whole(ImageFormat::raw, "/disk.raw"), target / "out.qcow2"), &counter_, context); });
    EXPECT_THAT(target.names(), IsEmpty());
    return error;
  }
  Scratch scratch_;
  Counter counter_;
};

TEST_F(FakeQemuImg, HangIsCutAtTheDeadline) {
  auto context = with("echo half > \"$target\"; printf '    (50.00/100%%)\\r'; exec sleep 600");
  context.read_deadline = 500ms;
  EXPECT_EQ(convert_error(context).kind(), ErrorKind::cancelled);
  EXPECT_EQ(counter_.done, 524288U);
  EXPECT_EQ(counter_.ends, 1);
}

TEST_F(FakeQemuImg, CrashIsNamed) {
  const auto error = convert_error(with("echo half > \"$target\"; kill -SEGV $$"));
  EXPECT_EQ(error.kind(), ErrorKind::subprocess);
  EXPECT_THAT(error.what(), HasSubstr("signal 11"));
}

TEST_F(FakeQemuImg, HugeErrorOutputIsCut) {
  const auto error = convert_error(with("head -c 5000000 /dev/zero | tr '\\0' x >&2; exit 1"));
  EXPECT_EQ(error.kind(), ErrorKind::subprocess);
  EXPECT_LT(std::string(error.what()).size(), 20000U);
}

TEST_F(FakeQemuImg, EscapesOfItsMessagesDoNotReachTheTerminal) {
  const auto error = convert_error(with("printf 'qemu-img: \\033[31mred\\n' >&2; exit 1"));
  EXPECT_EQ(std::string(error.what()).find('\033'), std::string::npos);
  EXPECT_THAT(error.detail().found, HasSubstr("red"));
}

TEST_F(FakeQemuImg, MemoryIsBoundedWhileItConverts) {
  const auto error = convert_error(with("ulimit -d >&2; exit 1"));
  EXPECT_THAT(error.detail().found, HasSubstr(std::to_string(Context{}.data >> 10U)));
}

TEST_F(FakeQemuImg, GarbageForProgressIsNoProgress) {
  auto context = with(
      "case $1 in check) echo '{}'; exit 0;; esac; printf "
      "'(nan/100%%)\\r(1e9/100%%)\\r(-5/100%%)\\rhello\\r(20/100%%)\\r(10/100%%)\\r'");
  convert(to_qcow2(whole(ImageFormat::raw, "/disk.raw"), scratch_ / "out.qcow2"), &counter_, context);
  EXPECT_EQ(counter_.done, 1048576U / 5);
}

TEST_F(FakeQemuImg, EndlessProgressLineIsCut) {
  EXPECT_EQ(convert_error([&] {
              auto context = with("cat /dev/zero");
              context.read_deadline = 60s;
              return context;
            }())
                .kind(),
            ErrorKind::subprocess);
}

TEST_F(FakeQemuImg, GarbageForJsonIsMalformed) {
  Context context;
  for (const std::string output :
       {"", "hello", "[1,2", "{}", "[]", "{\"format\": 7, \"virtual-size\": \"x\"}", "\\377"}) {
    context.program = scratch_.program("garbage", "printf '" + output + "'");
    const auto error = error_of([&] { (void)info(whole(ImageFormat::raw, "/disk.raw"), context); });
    EXPECT_EQ(error.kind(), ErrorKind::malformed) << output;
  }
}

TEST_F(FakeQemuImg, ATargetThatFailsItsCheckIsNotPublished) {
  const auto error =
      convert_error(with("case $1 in check) echo '{\"corruptions\": 3}'; exit 2;; esac; echo x > \"$target\""));
  EXPECT_EQ(error.kind(), ErrorKind::verify);
  EXPECT_THAT(error.detail().found, HasSubstr("3 corruptions"));
}

TEST_F(FakeQemuImg, CancelLeavesNothing) {
  std::stop_source source;
  class Stopper : public Progress {
   public:
    explicit Stopper(std::stop_source &stop) : stop_(stop) {}
    void begin(std::string_view, std::uint64_t) override {}
    void advance(std::uint64_t) override { stop_.request_stop(); }
    void end() override {}

   private:
    std::stop_source &stop_;
  } stopper(source);
  auto context = with("echo half > \"$target\"; printf '    (50.00/100%%)\\r'; exec sleep 600");
  context.stop = source.get_token();
  const Scratch target;
  const auto error = error_of(
      [&] { convert(to_qcow2(whole(ImageFormat::raw, "/disk.raw"), target / "out.qcow2"), &stopper, context); });
  EXPECT_EQ(error.kind(), ErrorKind::cancelled);
  EXPECT_THAT(target.names(), IsEmpty());
}

// The program could not put it there itself: it writes the file that it was given and no other.
TEST_F(FakeQemuImg, ATargetThatAppearsMeanwhileIsNotReplaced) {
  const Scratch target;
  class Other final : public Progress {
   public:
    explicit Other(const Scratch &target) : target_(target) {}
    void begin(std::string_view, std::uint64_t) override { target_.write("out.qcow2", "mine\n"); }
    void advance(std::uint64_t) override {}
    void end() override {}

   private:
    const Scratch &target_;
  } other(target);
  const auto context = with("case $1 in check) echo '{}'; exit 0;; esac");
  const auto error =
      error_of([&] { convert(to_qcow2(whole(ImageFormat::raw, "/disk.raw"), target / "out.qcow2"), &other, context); });
  EXPECT_EQ(error.kind(), ErrorKind::conflict);
  EXPECT_EQ(test::read_text(target / "out.qcow2"), "mine\n");
  EXPECT_THAT(target.names(), ElementsAre("out.qcow2"));
}

TEST(MissingQemuImg, IsNamedWithItsPackage) {
  Context context;
  context.program = "no-such-qemu-img";
  EXPECT_FALSE(available(context));
  const auto error = error_of([&] { (void)version(context); });
  EXPECT_EQ(error.kind(), ErrorKind::missing);
  EXPECT_THAT(error.detail().advice, HasSubstr("qemu-utils"));
}

// What our own checks would refuse long before: qemu-img alone, with an image that leads out of itself.
TEST(Cage, WhatAnImageNamesIsOutOfReach) {
  if (cage::offered().landlock == 0) GTEST_SKIP() << "this kernel has no Landlock";
  const Scratch folder, other;
  const auto secret = other.write("secret", std::string(65536, 's'));
  const auto vmdk = folder.write("disk.vmdk",
                                 "# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\n"
                                 "createType=\"monolithicFlat\"\nRW 128 FLAT \"" +
                                     secret.string() + "\" 0\n");
  const auto target = folder / "out.qcow2";
  EXPECT_EQ(error_of([&] {
              convert(to_qcow2({.format = ImageFormat::vmdk, .range = {.file = vmdk}}, target), nullptr);
            }).kind(),
            ErrorKind::subprocess);
  EXPECT_FALSE(std::filesystem::exists(target));
  // The same image where the extent belongs to it.
  convert(to_qcow2({.format = ImageFormat::vmdk, .range = {.file = vmdk}, .extents = {secret}}, target), nullptr);
  EXPECT_TRUE(std::filesystem::exists(target));
}

TEST(Cage, WhatAServedImageNamesIsOutOfReachToo) {
  if (cage::offered().landlock == 0) GTEST_SKIP() << "this kernel has no Landlock";
  if (subprocess::find_program("qemu-nbd").empty()) GTEST_SKIP() << "qemu-nbd is not installed";
  const Scratch folder, other;
  const auto secret = other.write("secret", std::string(65536, 's'));
  const auto vmdk = folder.write("disk.vmdk",
                                 "# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\n"
                                 "createType=\"monolithicFlat\"\nRW 128 FLAT \"" +
                                     secret.string() + "\" 0\n");
  const Source alone{.format = ImageFormat::vmdk, .range = {.file = vmdk}};
  const auto error = error_of([&] { const verify::NbdServer server(alone, std::nullopt); });
  EXPECT_EQ(error.kind(), ErrorKind::subprocess);
  EXPECT_THAT(error.detail().found, HasSubstr("secret"));
  const Source whole{.format = ImageFormat::vmdk, .range = {.file = vmdk}, .extents = {secret}};
  const verify::NbdServer server(whole, std::nullopt);
  EXPECT_TRUE(server.connect());
}

}  // namespace
}  // namespace ferry::qemu_img
