// What keyboard-interactive prompts want: real devices' words, and words that only look like them.
#include "worker/ssh/prompt.h"

#include <gtest/gtest.h>

namespace netfleet::ssh {
namespace {

TEST(Prompts, TypesThePasswordOnlyWhereOneIsAskedFor) {
  EXPECT_EQ(classify_prompt("", "Password: ", false), Prompt::kPassword);
  EXPECT_EQ(classify_prompt("", "admin@r1's password:", false), Prompt::kPassword);
  EXPECT_EQ(classify_prompt("", "admin@otp-token-1's password:", false), Prompt::kPassword);
  EXPECT_EQ(classify_prompt("", "Password: ", true), Prompt::kOther);
  EXPECT_EQ(classify_prompt("", "Username: ", true), Prompt::kOther);
  EXPECT_EQ(classify_prompt("", "Response: ", false), Prompt::kOther);
  EXPECT_EQ(classify_prompt("", "", false), Prompt::kOther);
}

TEST(Prompts, TypesACodeOnlyWhereOneIsAskedFor) {
  for (const char* prompt :
       {"Verification code: ", "PASSCODE:", "Enter PASSCODE: ", "Passcode or option (1-3): ",
        "One-time password (OATH) for `admin': ", "OTP: ", "Enter your 6 digit token: ",
        "Enter PIN: ", "PIN and tokencode:", "Your authentication code:", "Code:",
        "Wait for token to change,\nthen enter the new tokencode: "}) {
    EXPECT_EQ(classify_prompt("", prompt, false), Prompt::kCode) << prompt;
  }
  EXPECT_EQ(classify_prompt("", "Verification code: ", true), Prompt::kCode);
  EXPECT_EQ(classify_prompt("", "Enter PIN: ", true), Prompt::kOther);
  EXPECT_EQ(classify_prompt("", "Country code: ", true), Prompt::kOther);
  EXPECT_EQ(classify_prompt("", "Shopping list: ", false), Prompt::kOther);
  EXPECT_EQ(classify_prompt("", "Barcode: ", false), Prompt::kOther);
}

TEST(Prompts, JoinsPasswordAndCodeOnlyWhereThatIsSaid) {
  EXPECT_EQ(classify_prompt("", "Password & verification code: ", false), Prompt::kPasswordAndCode);
  EXPECT_EQ(classify_prompt("", "Enter password followed by OTP:", false),
            Prompt::kPasswordAndCode);
  EXPECT_EQ(classify_prompt("", "Password & verification code: ", true), Prompt::kOther);
  EXPECT_EQ(classify_prompt("", "Password or token: ", false), Prompt::kOther);
}

TEST(Prompts, NoticesThatANewSecretIsWanted) {
  for (const char* prompt :
       {"New password:", "Retype new password:", "Current password:", "(current) UNIX password: ",
        "Re-enter password", "Change password:", "Enter a new PIN having from 4 to 8 digits: "}) {
    EXPECT_EQ(classify_prompt("", prompt, false), Prompt::kNewSecret) << prompt;
  }
  EXPECT_EQ(classify_prompt("Your password has expired", "Password:", false), Prompt::kNewSecret);
}

TEST(Prompts, AcceptsOnlyWhatClearlyAsksForThat) {
  const char* disclaimer = "Do you accept the terms (yes/no)? ";
  EXPECT_EQ(classify_prompt("", disclaimer, true), Prompt::kAcceptance);
  EXPECT_EQ(acceptance_of(disclaimer), "yes");
  EXPECT_EQ(classify_prompt("", "I agree to be monitored [Y/N]:", true), Prompt::kAcceptance);
  EXPECT_EQ(acceptance_of("I agree to be monitored [Y/N]:"), "y");
  EXPECT_EQ(classify_prompt("", disclaimer, false), Prompt::kOther);
  for (const char* prompt :
       {"Continue (yes/no)?", "Do you accept the terms?", "Do you disagree (yes/no)?",
        "Do you not accept (yes/no)?", "Accept and erase the configuration (yes/no)?",
        "Do you decline to accept (yes/no)?"}) {
    EXPECT_EQ(classify_prompt("", prompt, true), Prompt::kOther) << prompt;
  }
}

}  // namespace
}  // namespace netfleet::ssh
