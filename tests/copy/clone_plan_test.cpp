// SPDX-License-Identifier: Apache-2.0
#include "converters/copy/clone_plan.hpp"

#include <algorithm>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <random>
#include <vector>

#include "support/error.hpp"
#include "support/file.hpp"

namespace ferry::test {
namespace {

constexpr std::uint64_t kUnit = 4096;

// Places what it is asked for one behind the other, `most` units at a time; knows no lanes.
class RecordingSink final : public copy::Sink {
 public:
  struct Call {
    int fd = -1;
    std::uint64_t offset = 0, units = 0;
    friend bool operator==(const Call &, const Call &) = default;
  };
  std::vector<Call> calls;
  std::uint64_t most = 1U << 20U;
  int refused_fd = -1;

  [[nodiscard]] std::uint32_t unit() const override { return ::ferry::test::kUnit; }
  [[nodiscard]] std::uint32_t clone_alignment() const override { return unit(); }
  [[nodiscard]] std::unique_ptr<copy::Lane> lane() override { return nullptr; }
  [[nodiscard]] Placed clone_ahead(int fd, std::uint64_t offset, std::uint64_t units) override {
    calls.push_back({.fd = fd, .offset = offset, .units = units});
    if (fd == refused_fd) return {};
    const Placed out{.offset = end_, .units = std::min(units, most)};
    end_ += (out.units + 1) * unit();  // a gap, as a refcount block makes it
    return out;
  }

 private:
  std::uint64_t end_ = std::uint64_t{10} * ::ferry::test::kUnit;
};

// Only its descriptor counts: nothing is read.
class NumberedFile final : public image::SourceFile {
 public:
  NumberedFile(int fd, std::uint64_t base) : fd_(fd), base_(base) {}
  void read(std::uint64_t /*offset*/, void * /*into*/, std::size_t /*length*/) const override {}
  [[nodiscard]] Descriptor descriptor() const override { return {.fd = fd_, .base = base_}; }
  [[nodiscard]] std::uint64_t size() const override { return 0; }
  [[nodiscard]] const std::filesystem::path &path() const override { return path_; }

 private:
  int fd_;
  std::uint64_t base_;
  std::filesystem::path path_;
};

struct ClonePlan : testing::Test {
  copy::Sources sources;
  RecordingSink sink;
  copy::ClonePlan plan{kUnit};
  // Descriptors that can be examined.
  file::Descriptor first_file{open("/dev/null", O_RDONLY | O_CLOEXEC)},
      second_file{open("/dev/null", O_RDONLY | O_CLOEXEC)};

  [[nodiscard]] int first() const { return first_file.get(); }
  [[nodiscard]] int second() const { return second_file.get(); }

  void SetUp() override {
    sources.add(std::make_shared<NumberedFile>(first(), 0));
    sources.add(std::make_shared<NumberedFile>(second(), 512));
  }
};

TEST_F(ClonePlan, AShuffledDiskIsOneRunAndEveryUnitIsFound) {
  std::vector<std::uint64_t> order(1000);
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::shuffle(order.begin(), order.end(), std::mt19937_64(1));
  for (const std::uint64_t block : order) plan.add(0, 512 + block * 2 * kUnit, 2 * kUnit);
  plan.carry_out(sources, sink, {});
  EXPECT_EQ(sink.calls, (std::vector<RecordingSink::Call>{{.fd = first(), .offset = 512, .units = 2000}}));
  for (const std::uint64_t block : order) {
    const auto taken = plan.take(0, 512 + block * 2 * kUnit, 2);
    EXPECT_EQ(taken.units, 2U);
    EXPECT_EQ(taken.target, (10 + block * 2) * kUnit);
  }
}

TEST_F(ClonePlan, RowsEndWhereNothingWasAddedAndWhereTheSinkEndsThem) {
  sink.most = 100;
  plan.add(0, 10 * kUnit, std::uint64_t{150} * kUnit);
  plan.add(0, 200 * kUnit, std::uint64_t{56} * kUnit);
  plan.carry_out(sources, sink, {});
  EXPECT_EQ(sink.calls, (std::vector<RecordingSink::Call>{{.fd = first(), .offset = 10 * kUnit, .units = 150},
                                                          {.fd = first(), .offset = 110 * kUnit, .units = 50},
                                                          {.fd = first(), .offset = 200 * kUnit, .units = 56}}));
  auto taken = plan.take(0, 5 * kUnit, 250);
  EXPECT_FALSE(taken.target);
  EXPECT_EQ(taken.units, 5U);
  taken = plan.take(0, 10 * kUnit, 245);
  EXPECT_EQ(taken.target, 10 * kUnit);
  EXPECT_EQ(taken.units, 100U);
  taken = plan.take(0, 110 * kUnit, 145);
  EXPECT_EQ(taken.target, 111 * kUnit);
  EXPECT_EQ(taken.units, 50U);
  taken = plan.take(0, 160 * kUnit, 95);
  EXPECT_FALSE(taken.target);
  EXPECT_EQ(taken.units, 40U);
  taken = plan.take(0, 256 * kUnit, 3);
  EXPECT_FALSE(taken.target);
  EXPECT_EQ(taken.units, 3U);
}

TEST_F(ClonePlan, AUnitIsGivenOutOnce) {
  plan.add(0, 0, 4 * kUnit);
  plan.add(0, 0, 4 * kUnit);
  plan.carry_out(sources, sink, {});
  EXPECT_EQ(plan.take(0, 2 * kUnit, 1).target, 12 * kUnit);
  auto taken = plan.take(0, 0, 4);
  EXPECT_EQ(taken.target, 10 * kUnit);
  EXPECT_EQ(taken.units, 2U);
  taken = plan.take(0, 2 * kUnit, 2);
  EXPECT_FALSE(taken.target);
  EXPECT_EQ(taken.units, 1U);
  EXPECT_EQ(plan.take(0, 3 * kUnit, 1).target, 13 * kUnit);
}

TEST_F(ClonePlan, WhatLiesOtherwiseThanTheFirstIsLeftOut) {
  plan.add(0, 512, 2 * kUnit);
  plan.add(0, 10 * kUnit, 2 * kUnit);
  plan.carry_out(sources, sink, {});
  EXPECT_EQ(sink.calls.size(), 1U);
  EXPECT_FALSE(plan.take(0, 10 * kUnit, 2).target);
  EXPECT_FALSE(plan.take(0, 0, 2).target);
  EXPECT_TRUE(plan.take(0, 512, 2).target);
}

TEST_F(ClonePlan, AFileThatTheFileSystemRefusesDoesNotKeepTheNextOneFromIt) {
  sink.refused_fd = first();
  plan.add(0, 0, kUnit);
  plan.add(0, 5 * kUnit, kUnit);
  plan.add(1, 3 * kUnit + 512, kUnit);
  plan.carry_out(sources, sink, {});
  EXPECT_EQ(sink.calls, (std::vector<RecordingSink::Call>{{.fd = first(), .offset = 0, .units = 1},
                                                          {.fd = second(), .offset = 3 * kUnit + 1024, .units = 1}}));
  EXPECT_FALSE(plan.take(0, 0, 1).target);
  EXPECT_EQ(plan.take(1, 3 * kUnit + 512, 1).target, 10 * kUnit);
}

TEST_F(ClonePlan, AFileThatIsInNoPlanHasNothing) {
  const auto taken = plan.take(1, 0, 9);
  EXPECT_FALSE(taken.target);
  EXPECT_EQ(taken.units, 9U);
}

TEST_F(ClonePlan, StopsWhenItIsToldTo) {
  std::stop_source stop;
  stop.request_stop();
  plan.add(0, 0, kUnit);
  EXPECT_THROW(plan.carry_out(sources, sink, stop.get_token()), Error);
}

}  // namespace
}  // namespace ferry::test
