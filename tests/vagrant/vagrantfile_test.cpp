// SPDX-License-Identifier: Apache-2.0
// What a Vagrantfile says without being run.
#include "importers/vagrant/vagrantfile.hpp"

#include <gtest/gtest.h>

namespace ferry::vagrant {
namespace {

// "option=value" of each line, with "?" in front of what is no plain value.
std::vector<std::string> read(const std::string &text) {
  std::vector<std::string> out;
  for (const Assignment &one : read_vagrantfile(text))
    out.push_back((one.plain ? "" : "?") + one.option + "=" + one.value);
  return out;
}
using Read = std::vector<std::string>;

TEST(Vagrantfile, PlainValuesOfEachProvider) {
  EXPECT_EQ(
      read("Vagrant.configure(\"2\") do |config|\r\n"
           "  config.vm.base_mac = '525400AABBCC'  # a comment\r\n"
           "  config.vm.provider :libvirt do |libvirt, override|\r\n"
           "    libvirt.memory = 2_048\r\n"
           "    libvirt.disk_bus=\"sata\"\r\n"
           "    libvirt.video_type = :qxl\r\n"
           "    libvirt.nested = true\r\n"
           "    override.vm.hostname = \"a # b\"\r\n"
           "  end\r\n"
           "  config.vm.provider \"vmware_desktop\" do |v|\r\n"
           "    v.vmx[\"ethernet0.virtualDev\"] = \"vmxnet3\"\r\n"
           "    v.vmx['memsize'] = '1024'\r\n"
           "    v.gui = nil\r\n"
           "  end\r\n"
           "  config.ssh.insert_key = false\r\n"
           "end\r\n"),
      (Read{"config.vm.base_mac=525400AABBCC", "libvirt.memory=2048", "libvirt.disk_bus=sata", "libvirt.video_type=qxl",
            "libvirt.nested=true", "config.vm.hostname=a # b", "vmware_desktop.vmx.ethernet0.virtualDev=vmxnet3",
            "vmware_desktop.vmx.memsize=1024", "vmware_desktop.gui=nil", "config.ssh.insert_key=false"}));
}

TEST(Vagrantfile, WhatRubyWouldHaveToWorkOutIsNoPlainValue) {
  EXPECT_EQ(read("Vagrant::Config.run do |c|\nend\n"
                 "Vagrant.configure(2) do |c|\n"
                 "c.vm.provider 'libvirt' do |l|\n"
                 "l.memory = 1024 * 2\n"
                 "l.cpus = ENV['CPUS'] || 2\n"
                 "l.disk_bus = \"#{bus}\"\n"
                 "l.random :model => 'random'\n"
                 "if RUBY_PLATFORM =~ /x/\n"
                 "  l.cpus = 4\n"
                 "end\n"
                 "l.cpus = 8 if big\n"
                 "%w(a b).each do |x|\n  l.memory = 1\nend\n"
                 "l.memory == 3\n"
                 "l.cpus ||= 2\n"
                 "unknown.memory = 5\n"
                 "l.machine_type = \"q35\"\n"
                 "end\nend\n"),
            (Read{"?libvirt.memory=1024 * 2", "?libvirt.cpus=ENV['CPUS'] || 2", "?libvirt.disk_bus=\"#{bus}\"",
                  "?libvirt.random=:model => 'random'", "?libvirt.cpus=4", "?libvirt.cpus=8 if big",
                  "?libvirt.memory=1", "?libvirt.cpus=2", "libvirt.machine_type=q35"}));
}

TEST(Vagrantfile, AnyTextIsTaken) {
  EXPECT_EQ(read(""), Read{});
  EXPECT_EQ(read("end end\nend\n|x|\n= 3\nVagrant.configure do"), Read{});
  EXPECT_EQ(read("Vagrant.configure(\"2\") do |c|\nc.vm.box = \"" + std::string(100'000, 'a') + "\"\n"), Read{});
}

}  // namespace
}  // namespace ferry::vagrant
