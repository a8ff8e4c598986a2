// SPDX-License-Identifier: Apache-2.0
// Internal snapshots: several states over shared clusters.
#include "tests/qcow2/qcow2_fixture.hpp"

namespace ferry::test {
namespace {

struct Snapshots : testing::TestWithParam<qcow2::Compression> {
  TempFolder folder;
  std::shared_ptr<DiskFile> file = std::make_shared<DiskFile>(folder / "source");
  std::shared_ptr<MemoryImage> image(std::uint64_t size) const { return std::make_shared<MemoryImage>(size, file); }
  std::filesystem::path target = folder / "out.qcow2";
  qcow2::Layout layout{.compression = GetParam()};
};

// base <- a <- b (current), and a branch base <- c.
struct Tree {
  std::vector<TestState> states;
  std::uint64_t distinct = 0;  // bytes of clusters
};

Tree branches(const Snapshots &test) {
  auto base = test.image(8 * kMib), a = test.image(8 * kMib), b = test.image(8 * kMib), c = test.image(8 * kMib);
  base->plain(0, some_bytes(kMib, 1));
  base->deflated(2 * kMib, some_bytes(65536, 2));
  a->plain(65536, some_bytes(65536, 3));
  a->zero(2 * kMib, 65536);
  b->plain(4 * kMib, some_bytes(65536, 4));
  b->plain(131072 + 512, some_bytes(512, 5));  // a sector inside a cluster of the base
  c->plain(0, some_bytes(65536, 6));
  Tree out;
  out.states.push_back(make_state("start", {base}));
  out.states.push_back(make_state("after a", {base, a}));
  out.states.push_back(make_state("branch", {base, c}));
  out.states.push_back(make_state("", {base, a, b}));
  out.distinct = kMib + 65536 + 65536 + 2 * 65536 + 65536;
  return out;
}

TEST_P(Snapshots, EveryStateReadsBack) {
  const Tree tree = branches(*this);
  write_qcow2(target, tree.states, layout);
  expect_reads_back(folder, target, tree.states);
}

TEST_P(Snapshots, EachDistinctClusterIsStoredOnce) {
  const Tree tree = branches(*this);
  EXPECT_EQ(write_qcow2(target, tree.states, layout).outcome.bytes_stored, tree.distinct);
}

TEST_P(Snapshots, QemuListsThemWithNameAndDate) {
  if (!have_qemu_img()) GTEST_SKIP() << "qemu-img is not installed";
  write_qcow2(target, branches(*this).states, layout);
  const std::string info = qemu_img({"info", "-f", "qcow2", "--output=json", target.string()});
  for (const char *expected : {"\"name\": \"start\"", "\"name\": \"after a\"", "\"name\": \"branch\"",
                               "\"date-sec\": 1700000002", "\"vm-state-size\": 0"}) {
    EXPECT_NE(info.find(expected), std::string::npos) << expected << " in " << info;
  }
}

TEST_P(Snapshots, QemuRevertsToEachAndDeletesEachAndTheImageStaysSound) {
  if (!have_qemu_img()) GTEST_SKIP() << "qemu-img is not installed";
  const Tree tree = branches(*this);
  write_qcow2(target, tree.states, layout);
  for (std::size_t i = 0; i + 1 < tree.states.size(); ++i) {
    qemu_img({"snapshot", "-a", tree.states[i].name, target.string()});
    std::vector<TestState> now;
    for (const TestState &state : tree.states) now.push_back({state.name, state.chain, state.expected});
    now.back().expected = tree.states[i].expected;
    expect_reads_back(folder, target, now);
  }
  for (std::size_t i = 0; i + 1 < tree.states.size(); ++i) {
    qemu_img({"snapshot", "-d", tree.states[i].name, target.string()});
    const std::string verdict = qemu_img({"check", "-f", "qcow2", target.string()});
    EXPECT_NE(verdict.find("No errors were found"), std::string::npos) << verdict;
  }
}

TEST_P(Snapshots, AStateThatChangedNothingCostsOnlyItsTables) {
  auto base = image(kMib);
  base->plain(0, some_bytes(kMib, 1));
  std::vector<TestState> states;
  for (int i = 0; i < 12; ++i) states.push_back(make_state("s" + std::to_string(i), {base, image(kMib)}));
  EXPECT_EQ(write_qcow2(target, states, layout).outcome.bytes_stored, kMib);
  expect_reads_back(folder, target, states);
}

TEST_P(Snapshots, ADiskThatWasEnlargedKeepsEachStatesSize) {
  auto small = image(kMib), large = image(3 * kMib);
  small->plain(0, some_bytes(kMib, 1));
  large->plain(2 * kMib + 512, some_bytes(4096, 2));
  const std::vector<TestState> states = {make_state("small", {small}), make_state("", {small, large})};
  write_qcow2(target, states, layout);
  if (!have_qemu_img()) GTEST_SKIP() << "qemu-img is not installed";
  expect_reads_back(folder, target, {states.back()});
  qemu_img({"snapshot", "-a", "small", target.string()});
  expect_reads_back(folder, target, {states.front()});
}

TEST_P(Snapshots, ANameThatLooksLikeAnIdSelectsItsOwnSnapshot) {
  if (!have_qemu_img()) GTEST_SKIP() << "qemu-img is not installed";
  auto base = image(kMib), top = image(kMib), last = image(kMib);
  base->plain(0, some_bytes(65536, 1));
  top->plain(0, some_bytes(65536, 2));
  last->plain(0, some_bytes(65536, 3));
  const std::vector<TestState> states = {make_state("2", {base}), make_state("1", {base, top}),
                                         make_state("", {base, top, last})};
  write_qcow2(target, states, layout);
  qemu_img({"snapshot", "-a", "2", target.string()});
  std::vector<TestState> now = {states[0], states[1], states[2]};
  now.back().expected = states[0].expected;
  expect_reads_back(folder, target, now);
}

TEST_P(Snapshots, ManyTinyClustersInManyStatesDoNotOverflowTheReferenceCounts) {
  // 1 MiB of one byte value: each compressed cluster takes a few dozen bytes, so hundreds share a host cluster.
  auto base = image(16 * kMib);
  base->plain(0, Bytes(16 * kMib, 7));
  std::vector<TestState> states;
  for (int i = 0; i < 300; ++i) states.push_back({"s" + std::to_string(i), image::Chain({base}), {}});
  write_qcow2(target, states, {.cluster_size = 65536, .compression = GetParam()});
  if (!have_qemu_img()) GTEST_SKIP() << "qemu-img is not installed";
  const std::string verdict = qemu_img({"check", "-f", "qcow2", target.string()});
  EXPECT_NE(verdict.find("No errors were found"), std::string::npos) << verdict;
}

std::string compression_name(const testing::TestParamInfo<qcow2::Compression> &compression) {
  constexpr const char *kNames[] = {"plain", "zlib", "zstd"};
  return kNames[static_cast<int>(compression.param)];
}

INSTANTIATE_TEST_SUITE_P(all, Snapshots,
                         testing::Values(qcow2::Compression::none, qcow2::Compression::zlib, qcow2::Compression::zstd),
                         compression_name);

}  // namespace
}  // namespace ferry::test
