// Whose password a worker logs in with: its own, else the newest that a dispatcher sent.
#include "worker/fleet/keyring.h"

#include <gtest/gtest.h>

#include "worker/ssh/identity_impl.h"

namespace netfleet {
namespace {

std::shared_ptr<const Credential> with_password(std::string_view password) {
  auto credential = std::make_shared<Credential>();
  credential->password = Secret(password);
  return credential;
}

// Password and enable password, or why there are none.
std::string found(Keyring& keyring, const std::string& name) {
  const auto identity = keyring.find(name);
  if (!identity) return identity.error().message;
  const Credential& credential = *(*identity)->impl().credential;
  return std::string(credential.password.reveal()) + "/" +
         std::string(credential.enable_password.reveal());
}

Secret sent(std::string_view password, std::string_view enable) {
  return Secret(std::string(password) + '\0' + std::string(enable));
}

TEST(Keyring, TheNewestThatWasSentCounts) {
  Keyring keyring({});
  keyring.take("default", sent("mistyped", "e1"));
  EXPECT_EQ(found(keyring, "default"), "mistyped/e1");
  keyring.take("default", sent("right", "e2"));
  EXPECT_EQ(found(keyring, "default"), "right/e2");
  keyring.take("default", sent("right", "e3"));
  EXPECT_EQ(found(keyring, "default"), "right/e3");
}

TEST(Keyring, SentAgainNothingIsLoadedAgain) {
  Keyring keyring({});
  keyring.take("default", sent("p", "e"));
  const auto before = keyring.find("default");
  keyring.take("default", sent("p", "e"));
  EXPECT_EQ(keyring.find("default").value(), before.value());
}

TEST(Keyring, AnOwnPasswordGoesBeforeASentOne) {
  Keyring keyring({{"default", with_password("own")}, {"other", with_password("")}});
  keyring.take("default", sent("sent", ""));
  keyring.take("other", sent("sent", ""));
  EXPECT_EQ(found(keyring, "default"), "own/");
  EXPECT_EQ(found(keyring, "other"), "sent/");
}

TEST(Keyring, WhatWasSentIsForgottenAndTheOwnStays) {
  Keyring keyring({{"default", with_password("own")}, {"other", with_password("")}});
  keyring.take("other", sent("sent", ""));
  keyring.take("lab", sent("sent", ""));
  EXPECT_EQ(found(keyring, "other"), "sent/");
  EXPECT_EQ(found(keyring, "lab"), "sent/");
  keyring.forget_taken();
  EXPECT_EQ(found(keyring, "default"), "own/");
  EXPECT_EQ(found(keyring, "other"), "/");
  EXPECT_NE(found(keyring, "lab").find("no credential 'lab'"), std::string::npos);
  keyring.take("lab", sent("new", ""));
  EXPECT_EQ(found(keyring, "lab"), "new/");
}

}  // namespace
}  // namespace netfleet
