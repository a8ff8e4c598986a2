// SPDX-License-Identifier: Apache-2.0
#include "migration/option_values.hpp"

#include <functional>
#include <gtest/gtest.h>

#include "migration/start_now.hpp"

namespace ferry::migration {
namespace {

void expect_usage(const char *name, const char *value) {
  Options options;
  try {
    apply_option(options, name, value);
    FAIL() << name << " took " << value;
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_NE(std::string(error.what()).find(value), std::string::npos) << error.what();
    EXPECT_FALSE(error.detail().expected.empty());
  }
}

TEST(OptionValues, ForwardsNameACardAPortOfTheHostAndOneOfTheGuest) {
  Options options;
  for (const char *value : {"1:2222=22", "1:udp:5353=53", "2:127.0.0.1:8080=80", "2:tcp:9=none"})
    apply_option(options, "forward", value);
  EXPECT_EQ(options.hardware.forwards[0], (std::vector<target::Forward>{{true, "", 2222, 22}, {false, "", 5353, 53}}));
  EXPECT_EQ(options.hardware.forwards[1],
            (std::vector<target::Forward>{{true, "127.0.0.1", 8080, 80}, {true, "", 9, 0}}));
  EXPECT_EQ(options.hardware.forwards[1][0].text(), "127.0.0.1:8080=80");
  for (const char *value :
       {"2222=22", "0:2222=22", "1:2222", "1:0=22", "1:2222=0", "1:65536=22", "1:2222=65536", "1:host:2222=22",
        "1:sctp:2222=22", "x:2222=22", "1:2222=22=23", "1:-1=22", "1:=22", "1:22="})
    expect_usage("forward", value);
}

TEST(OptionValues, MacPoliciesAndSingleCards) {
  Options options;
  apply_option(options, "mac", "new");
  apply_option(options, "mac", "2=08:00:27:00:00:01");
  EXPECT_EQ(options.identity.mac_policy, MacPolicy::regenerate);
  EXPECT_EQ(options.identity.macs.at(1).text(), "08:00:27:00:00:01");
}

TEST(OptionValues, NetworksAreReadOnce) {
  Options options;
  apply_option(options, "network", "2=bridge:br0");
  apply_option(options, "network", "default=network:lab");
  apply_option(options, "network", "1=none");
  using Kind = target::Network::Kind;
  EXPECT_EQ(*options.hardware.network_of(0), (target::Network{Kind::none, ""}));
  EXPECT_EQ(*options.hardware.network_of(1), (target::Network{Kind::bridge, "br0"}));
  EXPECT_EQ(*options.hardware.network_of(2), (target::Network{Kind::network, "lab"}));
  EXPECT_EQ(Options{}.hardware.network_of(0), nullptr);
}

TEST(OptionValues, BusesAndVideoModelsAreKnownByName) {
  Options options;
  apply_option(options, "disk-bus", "nvme");
  apply_option(options, "video", "none");
  EXPECT_EQ(options.hardware.disk_bus, target::DiskBus::nvme);
  EXPECT_EQ(options.hardware.video_model, target::VideoModel::none);
}

TEST(OptionValues, ClusterSizesAsQemuImgTakesThem) {
  for (const auto &[text, bytes] : {std::pair{"65536", 65536U}, {"64K", 65536U}, {"4k", 4096U}, {"2M", 2097152U}}) {
    Options options;
    apply_option(options, "cluster-size", text);
    EXPECT_EQ(options.cluster_size, bytes) << text;
  }
}

TEST(OptionValues, RefusesWhatMakesNoSense) {
  expect_usage("mac", "0=08:00:27:00:00:01");
  expect_usage("mac", "1=01:00:5e:00:00:01");
  expect_usage("mac", "sometimes");
  expect_usage("uuid", "00000000-0000-0000-0000-000000000000");
  expect_usage("uuid", "11111111-1111-1111-1111-111111111111");
  expect_usage("network", "1=bridge:");
  expect_usage("network", "1=wifi");
  expect_usage("network", "0=user");
  expect_usage("network", "default=");
  expect_usage("network", "default=bridge:");
  expect_usage("network", "bridge:br0");
  expect_usage("disk-bus", "mfm");
  expect_usage("video", "voodoo");
  expect_usage("network", "user");
  expect_usage("cluster-size", "65537");
  expect_usage("cluster-size", "64G");
  expect_usage("cluster-size", "4M");
  expect_usage("cluster-size", "K");
  expect_usage("snapshots", "maybe");
  expect_usage("verify", "si");
  for (const char *option : {"host-profile", "virtualbox-registry", "base", "search", "allow-outside"}) {
    expect_usage(option, "/no/such/file");
    expect_usage(option, "");
  }
  for (const char *option : {"dest", "name"}) expect_usage(option, "");
}

TEST(OptionValues, StartNowStartsAndHasALimit) {
  Options options;
  apply_option(options, "start-now", "true");
  EXPECT_TRUE(options.start_now);
  EXPECT_TRUE(options.start);
  apply_option(options, "pull-limit", "50M");
  EXPECT_EQ(options.pull_limit, 50U);
  apply_option(options, "pull-limit", "2G");
  EXPECT_EQ(options.pull_limit, 2048U);
  for (const char *value : {"", "50", "0M", "M", "-1M", "1.5G", "50K", "99999999999M"})
    expect_usage("pull-limit", value);
}

TEST(StartNow, HasTheCurrentStateAloneUnlessSnapshotsAreAskedFor) {
  Machine machine;
  machine.snapshots.emplace_back();
  std::vector<Finding> findings;
  Options options;
  EXPECT_EQ(with_start_now(options, machine, findings).mode, disk::Mode::automatic);
  apply_option(options, "start-now", "true");
  const Options at_once = with_start_now(options, machine, findings);
  EXPECT_TRUE(at_once.start_now);
  EXPECT_EQ(at_once.mode, disk::Mode::overlay);
  EXPECT_FALSE(at_once.keep_snapshots);
  EXPECT_TRUE(findings.empty());
  apply_option(options, "snapshots", "keep");
  const Options copied = with_start_now(options, machine, findings);
  EXPECT_FALSE(copied.start_now);
  EXPECT_TRUE(copied.start);
  EXPECT_TRUE(copied.keep_snapshots);
  EXPECT_EQ(copied.mode, disk::Mode::automatic);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].id, "disk.copied-first");
}

TEST(StartNow, DoesNotGoWithWhatContradictsIt) {
  const auto refused = [](const std::function<void(Options &)> &change) {
    Options options;
    options.start_now = true;
    change(options);
    std::vector<Finding> findings;
    EXPECT_THROW((void)with_start_now(options, {}, findings), Error);
  };
  refused([](Options &options) { options.define = false; });
  refused([](Options &options) { options.connect = "qemu:///system"; });
  refused([](Options &options) { options.mode = disk::Mode::copy; });
  refused([](Options &options) { options.verify = true; });
}

TEST(OptionValues, EveryListedOptionCanBeSet) {
  for (const OptionSpec &spec : option_specs()) {
    Options options;
    if (spec.value.empty()) {
      EXPECT_NO_THROW(apply_option(options, spec.name, "true")) << spec.name;
    } else {
      EXPECT_FALSE(spec.help.empty());
    }
  }
  Options options;
  EXPECT_THROW(apply_option(options, "no-such", "x"), Error);
}

}  // namespace
}  // namespace ferry::migration
