// SPDX-License-Identifier: Apache-2.0
#include "model/ledger.hpp"

#include <gtest/gtest.h>

namespace ferry {
namespace {

TEST(Ledger, what_nobody_takes_stays_unknown) {
  Ledger ledger;
  ledger.enter({"a.vbox", 3, "/A/@b"}, "1");
  ledger.settle({{"nics.0", Disposition::kept, ""}});
  EXPECT_EQ(ledger.counts().unknown, 1U);
}

TEST(Ledger, the_longest_settlement_wins) {
  Ledger ledger;
  const auto mac = ledger.enter({}, "080027000001");
  const auto cable = ledger.enter({}, "true");
  const auto other = ledger.enter({}, "x");
  ledger.take(mac, "nics.0.mac");
  ledger.take(cable, "nics.0.cable_connected");
  ledger.take(other, "nics.01");
  ledger.settle({{"nics.0.mac", Disposition::kept, "same"}, {"nics.0", Disposition::translated, "e1000"}});
  EXPECT_EQ(ledger.entries()[mac].disposition, Disposition::kept);
  EXPECT_EQ(ledger.entries()[cable].note, "e1000");
  EXPECT_EQ(ledger.entries()[other].disposition, Disposition::unsettled);
}

TEST(Ledger, hidden_values_are_gone) {
  Ledger ledger;
  const auto id = ledger.enter({}, "chapsecret");
  ledger.hide(id);
  EXPECT_EQ(ledger.entries()[id].value, "(secret)");
}

}  // namespace
}  // namespace ferry
