// SPDX-License-Identifier: Apache-2.0
// Whole machines, each defined in a real libvirt.
#include <gtest/gtest.h>

#include "tests/export/builders.hpp"
#include "tests/export/real_libvirt.hpp"

namespace ferry::test {
namespace {

TEST(Define, RealLibvirtAnswers) {
  bool skipped = false;
  const auto message = define_in_real_libvirt("<domain type='qemu'><name/></domain>", skipped);
  if (skipped) GTEST_SKIP() << "no embedded QEMU driver here";
  EXPECT_TRUE(message.has_value());  // so an accepted domain says something
}

TEST(Define, VirtualBoxPiix3) {
  Fixture fixture(virtualbox_machine());
  const auto result = fixture.run();
  if (getenv("SHOW")) std::cout << result.domain_xml;
}

TEST(Define, VmwareBios) {
  Fixture fixture(vmware_machine());
  const auto result = fixture.run();
  if (getenv("SHOW")) std::cout << result.domain_xml;
}

}  // namespace
}  // namespace ferry::test
