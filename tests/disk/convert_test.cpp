// SPDX-License-Identifier: Apache-2.0
// disk::convert() from image files to what QEMU reads.
#include <atomic>
#include <fstream>

#include "tests/disk/disk_fixture.hpp"

namespace ferry::test {
namespace {

struct Convert : testing::Test {
  TempFolder folder, out;
  Disk disk{folder.path()};
  std::filesystem::path target = out / "disk.qcow2";

  [[nodiscard]] disk::ConvertRequest request() const { return {.medium = disk.medium(), .target = target}; }
  static disk::ConvertResult run(const disk::ConvertRequest &request) { return disk::convert(request, nullptr, {}); }

  // The kind of the error that a request gives; nothing must be left of the target.
  ErrorKind failure(const disk::ConvertRequest &request, const std::stop_token &stop = {}) const {
    try {
      disk::convert(request, nullptr, stop);
    } catch (const Error &error) {
      EXPECT_EQ(files_in(out.path()), 0U) << "something was left behind";
      return error.kind();
    }
    ADD_FAILURE() << "it succeeded";
    return ErrorKind::internal;
  }
};

TEST_F(Convert, AChainBecomesOneQcow2) {
  const disk::ConvertResult result = run(request());
  EXPECT_EQ(result.engine, disk::Engine::native);
  EXPECT_EQ(result.virtual_size, Disk::kSize);
  EXPECT_EQ(files_in(out.path()), 1U);
  if (!have_qemu_img()) GTEST_SKIP() << "qemu-img is not installed";
  EXPECT_EQ(guest_content(target, folder.path()), disk.top_content);
}

TEST_F(Convert, WhoAskedSaysWhetherTheTargetGetsItsName) {
  disk::ConvertRequest asked = request();
  std::size_t files = 0;
  asked.before_publish = [&] {
    EXPECT_FALSE(std::filesystem::exists(target));
    files = files_in(out.path());
    throw Error(ErrorKind::verify, {.message = "the source changed"});
  };
  EXPECT_EQ(failure(asked), ErrorKind::verify);
  EXPECT_EQ(files, 1U) << "it was whole by then";
}

TEST_F(Convert, RawIsSparse) {
  disk::ConvertRequest raw = request();
  raw.format = disk::TargetFormat::raw;
  run(raw);
  EXPECT_EQ(read_all(target), disk.top_content);
  struct stat status {};
  ASSERT_EQ(stat(target.c_str(), &status), 0);
  EXPECT_LT(static_cast<std::uint64_t>(status.st_blocks) * 512, 5 * Disk::kMib);
}

TEST_F(Convert, AnImageBelowTheTopCanBeConverted) {
  disk::ConvertRequest lower = request();
  lower.medium = disk.medium(2);
  run(lower);
  if (!have_qemu_img()) GTEST_SKIP() << "qemu-img is not installed";
  EXPECT_EQ(guest_content(target, folder.path()), disk.middle_content);
}

TEST_F(Convert, VerifyingGivesTheDigestOfTheGuestsContent) {
  if (subprocess::find_program("qemu-nbd").empty()) GTEST_SKIP() << "qemu-nbd is not installed";
  for (const auto format : {disk::TargetFormat::qcow2, disk::TargetFormat::raw}) {
    for (const unsigned threads : {1U, 3U}) {
      disk::ConvertRequest verified = request();
      verified.format = format;
      verified.verify = true;
      verified.threads = threads;
      EXPECT_EQ(run(verified).sha256, sha256(disk.top_content));
      std::filesystem::remove(target);
    }
  }
}

TEST_F(Convert, SnapshotsAreKeptAndVerified) {
  if (subprocess::find_program("qemu-nbd").empty()) GTEST_SKIP() << "qemu-nbd is not installed";
  disk::ConvertRequest kept = request();
  kept.snapshots = {{.name = "first, with a comma", .created = 1, .medium = disk.medium(1)},
                    {.name = "second", .created = 2, .medium = disk.medium(2)}};
  kept.verify = true;
  EXPECT_EQ(run(kept).sha256, sha256(disk.top_content));
  qemu_img({"snapshot", "-a", "second", target.string()});
  EXPECT_EQ(guest_content(target, folder.path()), disk.middle_content);
  qemu_img({"snapshot", "-a", "first, with a comma", target.string()});
  EXPECT_EQ(guest_content(target, folder.path()), disk.base_content);
}

TEST_F(Convert, CompressedImagesAreSmallerAndEqual) {
  if (!have_qemu_img()) GTEST_SKIP() << "qemu-img is not installed";
  const std::uint64_t plain = run(request()).bytes_written;
  std::filesystem::remove(target);
  for (const auto compression : {disk::Compression::zlib, disk::Compression::zstd}) {
    disk::ConvertRequest small = request();
    small.compression = compression;
    EXPECT_LT(run(small).bytes_written, plain);
    EXPECT_EQ(guest_content(target, folder.path()), disk.top_content);
    std::filesystem::remove(target);
  }
}

TEST_F(Convert, ATargetThatExistsIsNeverTouched) {
  write_all(target, {1, 2, 3});
  EXPECT_THROW(run(request()), Error);
  EXPECT_EQ(read_all(target), (Bytes{1, 2, 3}));
}

TEST_F(Convert, ASourceThatEndsEarlyLeavesNoTarget) {
  ASSERT_EQ(truncate(disk.base.c_str(), 3 * Disk::kMib), 0);
  EXPECT_EQ(failure(request()), ErrorKind::malformed);
}

TEST_F(Convert, StoppingLeavesNoTarget) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(failure(request(), stop.get_token()), ErrorKind::cancelled);
}

TEST_F(Convert, StoppingInTheMiddleLeavesNoTarget) {
  struct StopAtFirst final : Progress {
    void begin(std::string_view, std::uint64_t) override {}
    void advance(std::uint64_t) override { stop.request_stop(); }
    void end() override {}
    std::stop_source stop;
  } progress;
  disk::ConvertRequest one_thread = request();
  one_thread.threads = 1;
  EXPECT_THROW(disk::convert(one_thread, &progress, progress.stop.get_token()), Error);
  EXPECT_EQ(files_in(out.path()), 0U);
}

TEST_F(Convert, ProgressAddsUpToWhatWasAnnounced) {
  struct Sum final : Progress {
    void begin(std::string_view, std::uint64_t bytes) override { total += bytes; }
    void advance(std::uint64_t bytes) override { done += bytes; }
    void end() override { ++ended; }
    std::uint64_t total = 0;
    std::atomic<std::uint64_t> done{0};
    int ended = 0;
  } progress;
  disk::ConvertRequest kept = request();
  kept.snapshots = {{.name = "first", .created = 1, .medium = disk.medium(1)}};
  disk::convert(kept, &progress, {});
  EXPECT_GT(progress.total, 3 * Disk::kMib);
  EXPECT_EQ(progress.done, progress.total);
  EXPECT_EQ(progress.ended, 1);
}

TEST_F(Convert, TheSourcesDigestComesWithTheConversion) {
  disk::ConvertRequest digest = request();
  digest.medium = disk.medium(1);
  digest.source_digest = disk::SourceDigest{.algorithm = "SHA256", .expected = sha256(read_all(disk.base))};
  EXPECT_EQ(run(digest).source_digest, sha256(read_all(disk.base)));
}

TEST_F(Convert, TheDigestOfAVmdkDescriptorIsThatOfTheText) {
  if (!have_qemu_img()) GTEST_SKIP() << "qemu-img is not installed";
  const std::filesystem::path vmdk = folder / "flat.vmdk";
  qemu_img({"convert", "-f", "vdi", "-O", "vmdk", "-o", "subformat=monolithicFlat", disk.base.string(), vmdk.string()});
  disk::ConvertRequest digest = request();
  digest.medium.chain = {{.declared_location = "flat.vmdk", .pieces = {{.file = vmdk}}}};
  digest.source_digest = disk::SourceDigest{.algorithm = "SHA-512", .expected = ""};
  Digest expected("sha512");
  const Bytes text = read_all(vmdk);
  expected.update(text.data(), text.size());
  EXPECT_EQ(run(digest).source_digest, expected.finish());
}

TEST_F(Convert, AnotherDigestThanTheManifestsIsRefused) {
  disk::ConvertRequest digest = request();
  digest.source_digest = disk::SourceDigest{.algorithm = "SHA1", .expected = std::string(40, '0')};
  EXPECT_EQ(failure(digest), ErrorKind::malformed);
}

TEST_F(Convert, RequestsThatMakeNoSenseAreUsageErrors) {
  disk::ConvertRequest raw = request();
  raw.format = disk::TargetFormat::raw;
  raw.compression = disk::Compression::zstd;
  EXPECT_EQ(failure(raw), ErrorKind::usage);
  disk::ConvertRequest overlay = request();
  overlay.mode = disk::Mode::overlay;
  overlay.snapshots = {{.name = "first", .created = 1, .medium = disk.medium(1)}};
  EXPECT_EQ(failure(overlay), ErrorKind::usage);
  EXPECT_EQ(failure({.medium = {}, .target = target}), ErrorKind::usage);
}

TEST_F(Convert, AnOddSizeIsRoundedUpAndSaid) {
  write_all(folder / "odd.raw", some_bytes(70000 + 1, 1));
  ImageFile odd{
      .declared_location = "odd.raw", .pieces = {{.file = folder / "odd.raw"}}, .declared_format = ImageFormat::raw};
  disk::ConvertRequest raw = request();
  raw.medium = {.chain = {odd}, .origin = {}};
  const disk::ConvertResult result = run(raw);
  EXPECT_EQ(result.virtual_size, 70001U);
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_EQ(result.findings.front().id, "disk.size-rounded");
  if (!have_qemu_img()) GTEST_SKIP() << "qemu-img is not installed";
  Bytes expected = some_bytes(70001, 1);
  expected.resize(70144);
  EXPECT_EQ(guest_content(target, folder.path()), expected);
}

// PATH with only `folder` in it, as long as it lives.
class OnlyPath {
 public:
  explicit OnlyPath(const std::filesystem::path &folder) : before_(getenv("PATH")) {
    setenv("PATH", folder.c_str(), 1);
  }
  ~OnlyPath() { setenv("PATH", before_.c_str(), 1); }
  OnlyPath(const OnlyPath &) = delete;
  OnlyPath &operator=(const OnlyPath &) = delete;

 private:
  std::string before_;
};

TEST_F(Convert, WhatQemuImgCheckFindsIsAnError) {
  // Stands in for a qemu-img that finds a defect of ours: no defect is at hand.
  const std::filesystem::path program = folder / "qemu-img";
  std::ofstream(program) << "#!/bin/sh\necho '{\"corruptions\": 2, \"check-errors\": 0}'\nexit 2\n";
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  const OnlyPath path(folder.path());
  disk::ConvertRequest checked = request();
  run(checked);
  std::filesystem::remove(target);
  checked.check = true;
  EXPECT_EQ(failure(checked), ErrorKind::verify);
}

TEST_F(Convert, WithoutQemuImgTheResultSaysThatNothingWasChecked) {
  const OnlyPath path(folder.path());
  disk::ConvertRequest checked = request();
  checked.check = true;
  const disk::ConvertResult result = run(checked);
  ASSERT_FALSE(result.findings.empty());
  EXPECT_EQ(result.findings.back().id, "disk.not-checked");
}

TEST_F(Convert, QemuImgAsTheEngine) {
  if (subprocess::find_program("qemu-nbd").empty()) GTEST_SKIP() << "qemu-nbd is not installed";
  disk::ConvertRequest single = request();
  single.medium = disk.medium(1);
  single.engine = disk::Engine::qemu_img;
  single.verify = true;
  const disk::ConvertResult result = run(single);
  EXPECT_EQ(result.engine, disk::Engine::qemu_img);
  EXPECT_EQ(result.sha256, sha256(disk.base_content));
  EXPECT_EQ(result.findings.back().id, "disk.read-by-qemu-img");
  EXPECT_EQ(files_in(out.path()), 1U);
}

TEST_F(Convert, QemuImgIsNotGivenChains) {
  disk::ConvertRequest chain = request();
  chain.engine = disk::Engine::qemu_img;
  EXPECT_EQ(failure(chain), ErrorKind::unsupported);
}

TEST_F(Convert, AFormatThatOnlyQemuReadsGoesToQemuImg) {
  if (!have_qemu_img()) GTEST_SKIP() << "qemu-img is not installed";
  qemu_img({"convert", "-f", "vdi", "-O", "qed", disk.base.string(), (folder / "disk.qed").string()});
  disk::ConvertRequest qed = request();
  qed.medium.chain = {{.declared_location = "disk.qed", .pieces = {{.file = folder / "disk.qed"}}}};
  EXPECT_EQ(disk::inspect(qed.medium, {}, disk::Engine::automatic).engine, disk::Engine::qemu_img);
  EXPECT_EQ(run(qed).engine, disk::Engine::qemu_img);
  EXPECT_EQ(guest_content(target, folder.path()), disk.base_content);
}

TEST_F(Convert, AnOverlayReadsTheSourceInPlace) {
  if (!have_qemu_img()) GTEST_SKIP() << "qemu-img is not installed";
  disk::ConvertRequest overlay = request();
  overlay.medium = disk.medium(1);
  overlay.mode = disk::Mode::overlay;
  const disk::ConvertResult result = run(overlay);
  EXPECT_EQ(result.mode, disk::Mode::overlay);
  EXPECT_EQ(result.findings.back().id, "disk.depends-on-source");
  EXPECT_LT(std::filesystem::file_size(target), 512U << 10U);
  EXPECT_EQ(guest_content(target, folder.path()), disk.base_content);
  const std::string info = qemu_img({"info", "-f", "qcow2", "--output=json", target.string()});
  EXPECT_NE(info.find("\"backing-filename-format\": \"vdi\""), std::string::npos) << info;
}

TEST_F(Convert, AChainCannotBeUsedInPlace) {
  for (const auto mode : {disk::Mode::overlay, disk::Mode::link}) {
    disk::ConvertRequest in_place = request();
    in_place.mode = mode;
    EXPECT_EQ(failure(in_place), ErrorKind::unsupported);
  }
}

TEST_F(Convert, AVhdCannotBeUsedInPlace) {
  if (!have_qemu_img()) GTEST_SKIP() << "qemu-img is not installed";
  qemu_img({"convert", "-f", "vdi", "-O", "vpc", disk.base.string(), (folder / "disk.vhd").string()});
  disk::ConvertRequest overlay = request();
  overlay.medium.chain = {{.declared_location = "disk.vhd", .pieces = {{.file = folder / "disk.vhd"}}}};
  overlay.mode = disk::Mode::overlay;
  EXPECT_EQ(failure(overlay), ErrorKind::unsupported);
}

TEST_F(Convert, ALinkMakesNothing) {
  disk::ConvertRequest link = request();
  link.medium = disk.medium(1);
  link.mode = disk::Mode::link;
  EXPECT_EQ(run(link).mode, disk::Mode::link);
  EXPECT_EQ(files_in(out.path()), 0U);
}

TEST_F(Convert, InspectCountsWhatTheGuestSees) {
  const disk::DiskInfo info = disk::inspect(disk.medium(), {}, disk::Engine::automatic);
  EXPECT_EQ(info.chain.size(), 3U);
  EXPECT_EQ(info.virtual_size, Disk::kSize);
  EXPECT_EQ(info.allocated, 3 * Disk::kMib + Disk::kMib / 2);  // blocks 0, 1, 3 and half of 8; 5 is zeros by now
}

}  // namespace
}  // namespace ferry::test
