// SPDX-License-Identifier: Apache-2.0
#include "support/secrets.hpp"

#include <gtest/gtest.h>

namespace ferry::secrets {
namespace {

TEST(Secrets, AreToldByAWordOfTheName) {
  for (const char *key :
       {"RemoteDisplay.vnc.password", "guestinfo.api_token", "VBoxInternal2/SmcDeviceKey", "apiKey", "smc.key",
        "encryption.keySafe", "managedvm.autoAddVTPM", "CRYPT/KeyStore", "acme.Passphrase", "InitiatorSecretEncrypted",
        "dbPasswd", "x.PRIVATEKEY", "admin-pwd", "aws.credentials", "proxyPw", "guestinfo.userdata",
        "guestinfo.cloud-init.config.data", "guestinfo.talos.config", "GuestInfo.hostname"})
    EXPECT_TRUE(looks_secret(key)) << key;
  for (const char *key :
       {"keyboard.vusb.enable", "scsi0:0.fileName", "mks.keyboardFilter", "displayName", "monkey.present",
        "ethernet0.generatedAddress", "usb.passthrough", "compass", "tokenizer", "GUI/LastCloseAction",
        "guestinfo.vmtools.versionNumber", "guestInfo.detailed.data", "guestinfo"})
    EXPECT_FALSE(looks_secret(key)) << key;
}

TEST(Secrets, InAddressesAreReplaced) {
  EXPECT_EQ(without_credentials("ftp://joe:pw@host/x"), "ftp://(secret)@host/x");
  EXPECT_EQ(without_credentials("a http://u:p@h:80/?q=a:b@c and iscsi://u:p@t"),
            "a http://(secret)@h:80/?q=a:b@c and iscsi://(secret)@t");
  EXPECT_EQ(without_credentials("https://host:8080/a@b"), "https://host:8080/a@b");
  EXPECT_EQ(without_credentials("ssh://joe@host/x"), "ssh://joe@host/x");
  EXPECT_EQ(without_credentials("plain"), "plain");
  EXPECT_EQ(without_credentials("'https://h/x?user=joe&access_token=abc&n=1' and http://u:p@h?apiKey=k#top"),
            "'https://h/x?user=joe&access_token=(secret)&n=1' and http://(secret)@h?apiKey=(secret)#top");
  EXPECT_EQ(without_credentials("https://h/#id_token=abc"), "https://h/#id_token=(secret)");
  EXPECT_EQ(without_credentials("is the token=abc right?"), "is the token=abc right?");
}

}  // namespace
}  // namespace ferry::secrets
