// SPDX-License-Identifier: Apache-2.0
#include "model/ledger.hpp"

#include <gtest/gtest.h>

#include "model/fields.hpp"

namespace ferry {
namespace {

TEST(Ledger, WhatNobodyTakesStaysUnknown) {
  Ledger ledger;
  ledger.enter({"a.vbox", 3, "/A/@b"}, "1");
  ledger.settle({{"nics.0", Disposition::kept, ""}});
  EXPECT_EQ(ledger.counts().unknown, 1U);
}

TEST(Ledger, TheLongestSettlementWins) {
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

TEST(Ledger, HiddenValuesAreGone) {
  Ledger ledger;
  const auto id = ledger.enter({}, "chapsecret");
  ledger.hide(id);
  EXPECT_EQ(ledger.entries()[id].value, "(secret)");
}

// ---- the names of fields ----

static_assert(has_field<Machine>("hardware.controllers.12.drives.0.medium.chain.0.pieces"));
static_assert(has_field<Machine>("snapshots.3.hardware.cpu.count"));
static_assert(has_field<Machine>("hardware.smbios.strings.bios.vendor"));
static_assert(has_field<Machine>("saved_state.file") && has_field<Machine>("hardware") && has_field<Machine>(""));
static_assert(!has_field<Machine>("hardware.cpu.cuont"));
static_assert(!has_field<Machine>("hardware.cpu.count.x"));
static_assert(!has_field<Machine>("hardware.nics.mac"));
static_assert(!has_field<Machine>("hardware.nics.x.mac"));
static_assert(!has_field<Machine>("hardware.cpu.origin"));
static_assert(!has_field<Machine>("cpu.count") && has_field<Hardware>("cpu.count"));
static_assert(!has_field<Machine>("hardware.") && !has_field<Machine>("hardware..cpu"));

TEST(Ledger, AMisspeltFieldIsRemembered) {
  Ledger ledger;
  const auto id = ledger.enter({}, "2");
  ledger.take(id, "hardware.cpu.cuont");
  ledger.settle({{"hardware.cpu", Disposition::kept, ""}, {"hardware.nics.0.mca", Disposition::dropped, "x"}});
  EXPECT_EQ(ledger.misspelt(), (std::vector<std::string>{"hardware.cpu.cuont", "hardware.nics.0.mca"}));
}

TEST(Fields, AreMadeOfNamesThatTheCompilerChecked) {
  EXPECT_EQ(below<Nic>("hardware.nics.0", "mac"), "hardware.nics.0.mac");
  const std::string made = "forwards.1";
  EXPECT_EQ(below<Nic>("nics.0", made), "nics.0.forwards.1");
}

TEST(Ledger, ASecretIsHiddenThoughNobodyKnowsTheSetting) {
  Ledger ledger;
  const auto value = [&ledger](const std::string &path, const std::string &text) {
    return ledger.entries().at(ledger.enter({"m.vmx", 1, path}, text)).value;
  };
  EXPECT_EQ(value("acme.adminPassword", "hunter2"), "(secret)");
  EXPECT_EQ(value("/VirtualBox/Machine/X/@token", "abc"), "(secret)");
  EXPECT_EQ(value("/Envelope/ExtraConfig/@key", "monitor.x"), "monitor.x");
  EXPECT_EQ(value("acme.source", "http://u:p@host/"), "http://(secret)@host/");
  EXPECT_EQ(value("acme.adminPassword", ""), "");
}

}  // namespace
}  // namespace ferry
