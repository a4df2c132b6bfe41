// Every platform that is built in, as it shows itself: its first prompt, and what its own probes
// print. Other commands are refused.
#include <gtest/gtest.h>

#include <algorithm>

#include "worker/device/detection.h"

namespace netfleet {
namespace {

struct Device {
  const char* platform;
  const char* prompt;
  const char* command;  // the only one that it knows
  const char* output;
  const char* server = "SSH-2.0-OpenSSH_8.4";
  const char* text = "";  // before the prompt
  const char* refusal = "        ^\n% Invalid input detected at '^' marker.\n\n";
};

constexpr Device kDevices[] = {
    {"a10", "vThunder-Active>", "show version",
     "Thunder Series Unified Application Service Gateway vThunder\n"
     "  Copyright 2007-2019 by A10 Networks, Inc.\n"},
    {"a10", "vThunder-Active#", "show version",
     "Thunder Series Unified Application Service Gateway vThunder\n"},
    {"adtran_os", "TA900>", "show version",
     "ADTRAN, Inc. OS version 18.02.01.00.E\n  Platform: Total Access 924e\n"},
    {"alcatel_aos", "->", "show system",
     "System:\n  Description:  Alcatel-Lucent Enterprise OS6860 8.4.1.229.R02 GA\n"},
    {"alcatel_aos", "OS6860->", "show system",
     "System:\n  Description:  Alcatel-Lucent Enterprise OS6860 8.4.1.229.R02 GA\n"},
    {"allied_telesis_awplus", "awplus>", "show version",
     "\nAlliedWare Plus (TM) 5.4.6 12/02/16 06:49:26\n\nBuild name : x610-5.4.6-2.1.rel\n"},
    {"arista_eos", "sw1>", "show version",
     "Arista DCS-7050TX-64-R\nHardware version:    01.00\nSoftware image version: 4.20.5F\n"},
    {"arista_eos", "sw1#", "show version", " cEOSLab\nSoftware image version: 4.28.3M\n"},
    {"aruba_aoscx", "cx6300#", "show version",
     "---------------------------------------\nArubaOS-CX\n(c) Copyright 2017-2022 Hewlett\n"
     "Version      : FL.10.09.1000\n"},
    {"aruba_os", "(MC1) >", "show version",
     "Aruba Operating System Software.\nArubaOS (MODEL: Aruba7005), Version 8.6.0.4\n"},
    {"aruba_os", "(MC1) *[mynode] #", "show version",
     "Aruba Operating System Software.\nArubaOS (MODEL: ArubaMM-VA), Version 8.6.0.4\n"},
    {"avaya_ers", "4850GTS#", "show sys-info",
     "Operation Mode:        Switch\nsysDescr: Ethernet Routing Switch 4850GTS  HW:10 FW:5.8\n"},
    {"avaya_ers", "4850GTS>", "show sys-info",
     "Operation Mode:        Switch\nsysDescr: Ethernet Routing Switch 4850GTS  HW:10 FW:5.8\n",
     "SSH-2.0-Mocana SSH 5.8"},
    {"avaya_ers", "4850GTS#", "", "", "SSH-2.0-Mocana SSH 5.8", "Enter Ctrl-Y to begin.\n"},
    {"bluecoat_sgos", "ProxySG>", "show version",
     "Version: SGOS 6.7.4.1 Proxy Edition\nRelease id: 213231\n"},
    {"brocade_nos", "sw0#", "show version",
     "Network Operating System Software\nNetwork Operating System Version: 7.2.0\n"},
    {"calix_b6", "B6-252>", "show version",
     "Kernel build id 8.0.30.0\nCalix B6-252 Operating System\n"},
    {"checkpoint_gaia", "gw-1>", "show version all",
     "Product version Check Point Gaia R80.40\nOS build 294\n", "SSH-2.0-OpenSSH_8.4", "",
     "CLINFR0329  Invalid command:'show version'.\n"},
    {"checkpoint_gaia", "[Expert@gw-1:0]#", "", ""},
    {"ciena_saos", "5160>", "software show",
     "+-------------+\n| Running Package | saos-06-16-00-0223 |\n+-------------+\n",
     "SSH-2.0-OpenSSH_8.4", "",
     "SHELL PARSER FAILURE: 'show' ambiguous. Try 'show' to list matches\n"},
    {"ciena_saos10", "5164>", "show software",
     "+-------------+\n| Running Package | saos-10-04-00-0113 |\n+-------------+\n",
     "SSH-2.0-OpenSSH_8.4", "", "syntax error: unknown argument\n"},
    {"cisco_asa", "asa1>", "show version",
     "\nCisco Adaptive Security Appliance Software Version 9.8(2)\n", "SSH-2.0-Cisco-1.25"},
    {"cisco_asa", "asa1/ctxA#", "show version",
     "\nCisco Adaptive Security Appliance Software Version 9.8(2)\n"},
    {"cisco_ftd", "> ", "show version",
     "------------[ ftd1 ]------------\nModel : Cisco Firepower 2110 Threat Defense (77)\n"},
    {"cisco_ftd", "> ", "", "", "SSH-2.0-OpenSSH_7.5",
     "Cisco Fire Linux OS v6.4.0 (build 2)\nCisco Firepower 2110 Threat Defense v6.4.0\n"},
    {"cisco_ios", "R1>", "show version",
     "Cisco IOS Software, C2960 Software (C2960-LANBASEK9-M), Version 15.0(2)SE4\n",
     "SSH-2.0-Cisco-1.25"},
    {"cisco_ios", "R1#", "show version",
     "Cisco Internetwork Operating System Software \nIOS (tm) C2600 Software\n"},
    {"cisco_ios", "R1#", "", "", "SSH-1.99-Cisco-1.25"},
    {"cisco_nxos", "n9k#", "show version",
     "Cisco Nexus Operating System (NX-OS) Software\nTAC support: http://www.cisco.com/tac\n"},
    {"cisco_s300", "switch1234#", "show version",
     "SW version    1.4.0.88 ( date  17-Mar-2014 time  14:29:10 )\nBoot version    1.3.5.06\n"},
    {"cisco_s300", "switch1234#", "show version",
     "Active-image: flash://system/images/image1.bin\n  Version: 2.5.0.83\n"},
    {"cisco_viptela", "vedge1#", "show system status",
     "Viptela (tm) vedge Operating System Software\n"
     "Copyright (c) 2013-2017 by Viptela, Inc.\n",
     "SSH-2.0-OpenSSH_8.4", "", "syntax error: unknown command\n"},
    {"cisco_wlc", "(Cisco Controller) >", "", "", "SSH-2.0-CISCO_WLC"},
    {"cisco_wlc", "(wlc-1) >", "show inventory",
     "NAME: \"Chassis\" , DESCR: \"Cisco 3504 Wireless LAN Controller\"\n"},
    {"cisco_xe", "R1#", "show version",
     "Cisco IOS XE Software, Version 16.09.03\n"
     "Cisco IOS Software [Fuji], Virtual XE Software (X86_64_LINUX_IOSD-UNIVERSALK9-M)\n",
     "SSH-2.0-Cisco-1.25"},
    {"cisco_xe", "R1>", "show version",
     "Cisco IOS Software [Fuji], Virtual XE Software\nCisco IOS XE Software, Version 16.09.03\n"},
    {"cisco_xr", "RP/0/RP0/CPU0:xr1#", "", "", "SSH-2.0-Cisco-2.0"},
    {"cisco_xr", "xr1#", "show version", "Cisco IOS XR Software, Version 6.1.4\n"},
    {"citrix_netscaler", "> ", "show ns version",
     "\tNetScaler NS12.1: Build 51.16.nc, Date: Dec 28 2018\n Done\n"},
    {"citrix_netscaler", "NS01>", "show ns version", "\tNetScaler NS12.1: Build 51.16.nc\n Done\n",
     "SSH-2.0-OpenSSH_8.4", "", "ERROR: No such command\n"},
    {"cumulus_linux", "cumulus@leaf01:mgmt:~$ ", "uname -a",
     "Linux cumulus 4.19.0-cl-1-amd64 #1 SMP Cumulus 4.19.149-1+cl4 x86_64 GNU/Linux\n"},
    {"cumulus_linux", "root@leaf01:mgmt:~# ", "", "", "SSH-2.0-OpenSSH_7.9p1",
     "Welcome to NVIDIA Cumulus (R) Linux (R)\n"},
    {"dell_os10", "OS10#", "show version",
     "Dell EMC Networking OS10 Enterprise\nOS Version: 10.4.3.0\n"},
    {"dell_os10", "OS10#", "show version", "Dell SmartFabric OS10 Enterprise\nOS Version: 10.5\n"},
    {"dell_os6", "console#", "show version",
     "Machine Description............... Dell Networking Switch\n"
     "System Model ID................... N3048\n"},
    {"dell_os9", "Force10#", "show version",
     "Dell Real Time Operating System Software\nDell Operating System Version:  2.0\n"},
    {"dell_os9", "Force10>", "show system",
     "Stack MAC : 00:01\nDell Networking OS Version : 9.14(2.4)\n"},
    {"dell_powerconnect", "console>", "show system",
     "System Description: PowerConnect 5448\nSystem Up Time: 5 days\n"},
    {"extreme_exos", "X440.1 > ", "", ""},
    {"extreme_exos", "* X440.3 # ", "", ""},
    {"extreme_netiron", "SSH@MLX8#", "show version", "System Mode: MLX\nChassis: NetIron 8-slot\n",
     "SSH-2.0-RomSShell_4.62"},
    {"extreme_netiron", "SSH@MLX8>", "show version",
     "System Mode: MLX\nIronWare : Version 5.6.0fT163\n"},
    {"extreme_slx", "SLX#", "show version",
     "SLX-OS Operating System Software\nSLX-OS Operating System Version: 18.1.00\n"},
    {"extreme_vsp", "VSP-4450:1>", "show sys-info",
     "General Info :\n  SysDescr  : VSP-4450GSX-PWR+ (6.0.1.2)\n"},
    {"f5_linux", "[root@bigip1:Active:Standalone] ~ # ", "", ""},
    {"f5_tmsh", "admin@(bigip1)(cfg-sync Standalone)(Active)(/Common)(tmos)# ", "", ""},
    {"fortinet", "FGT60F # ", "get system status",
     "Version: FortiGate-60F v6.4.5,build1828,210217 (GA)\n"},
    {"fortinet", "FGT60F $ ", "get system status", "Version: FortiGate-60F v6.4.5\n"},
    {"frr_vtysh", "frr#", "show version",
     "FRRouting 8.4.4 (frr) on Linux(5.10).\nCopyright 1996-2005 Kunihiro Ishiguro, et al.\n"},
    {"frr_vtysh", "frr>", "", "", "SSH-2.0-OpenSSH_9.2p1",
     "\nHello, this is FRRouting (version 8.4.4).\n\n"},
    {"hp_comware", "<H3C>", "", "", "SSH-2.0-Comware-7.1.045"},
    {"hp_comware", "<H3C>", "display version",
     "H3C Comware Software, Version 7.1.045, Release 2422P01\n"},
    {"hp_procurve", "HP-2530#", "show version",
     "Image stamp:    /ws/swbuildm/YA_rel/code/build/lakes(swbuildm_YA_rel)\n",
     "SSH-2.0-Mocana SSH 6.3"},
    {"hp_procurve", "HP-2530#", "", "", "SSH-2.0-Mocana SSH 6.3"},
    {"huawei_smartax", "MA5800>", "display version",
     "  VERSION : MA5800V100R017C00\n  PATCH   : SPH206\n  Huawei Integrated Access Software.\n",
     "SSH-2.0-HUAWEI-1.5"},
    {"huawei_vrp", "<HUAWEI>", "display version",
     "Huawei Versatile Routing Platform Software\n"
     "VRP (R) software, Version 5.160 (S5720 V200R011C10SPC600)\n",
     "SSH-2.0-HUAWEI-1.5"},
    {"huawei_vrp", "<HUAWEI>", "display version",
     "Huawei Versatile Routing Platform Software\nVRP (R) software, Version 5.160\n"},
    {"huawei_vrpv8", "<CE8850>", "display version",
     "Huawei Versatile Routing Platform Software\n"
     "VRP (R) software, Version 8.180 (CE8850EI V200R005C10SPC800)\n",
     "SSH-2.0-HUAWEI-1.5"},
    {"juniper_junos", "admin@mx1> ", "show version",
     "Hostname: mx1\nModel: mx240\nJunos: 17.4R1.16\nJUNOS OS Kernel 64-bit [20171206]\n"},
    {"juniper_junos", "admin@mx1> ", "", "", "SSH-2.0-OpenSSH_7.5",
     "--- JUNOS 17.4R1.16 Kernel 64-bit  JNPR-11.0-20171206\n"},
    {"juniper_screenos", "ssg5-> ", "get system",
     "Product Name: SSG5-Serial\nSoftware Version: 6.3.0r22.0, Type: Firewall+VPN\n",
     "SSH-2.0-OpenSSH_8.4", "", "           ^-------------unknown keyword show\n"},
    {"juniper_screenos", "ssg5-> ", "", "", "SSH-2.0-NetScreen"},
    {"linux", "user@host:~$ ", "", ""},
    {"linux", "root@host:~# ", "uname -a", "Linux host 6.1.0-18-amd64 #1 SMP x86_64 GNU/Linux\n"},
    {"linux", "$ ", "", ""},
    {"linux", "# ", "", ""},
    {"mikrotik_routeros", "[admin@MikroTik] > ", "", "", "SSH-2.0-ROSSSH"},
    {"mikrotik_routeros", "[admin@MikroTik] > ", "", ""},
    {"netgear_prosafe", "(M4300) >", "show version",
     "Switch: 1\nSystem Description....... M4300-28G ProSAFE 24-port 1G\n"},
    {"nokia_srl", "A:srl#", "", "", "SSH-2.0-OpenSSH_8.0", "--{ running }--[  ]--\n"},
    {"nokia_srl", "A:admin@srl#", "show version",
     "Hostname : srl\nOS : SR Linux\nSoftware Version : v22.6.1\n"},
    {"nokia_sros", "A:sr1#", "show version",
     "TiMOS-C-15.0.R4 cpm/x86_64 Nokia 7750 SR Copyright (c) 2000-2017 Nokia.\n"},
    {"nokia_sros", "A:admin@sr1#", "", "", "SSH-2.0-OpenSSH_8.3",
     "TiMOS-B-20.10.R1 both/x86_64 Nokia 7750 SR\n[/]\n"},
    {"paloalto_panos", "admin@PA-440> ", "show system info",
     "\nhostname: PA-440\nip-address: 10.0.0.1\nmodel: PA-440\nsw-version: 10.1.3\n"},
    {"paloalto_panos", "admin@fw1(active)> ", "", ""},
    {"raisecom_roap", "Raisecom>", "show version",
     "Product name: ISCOM2828F\nROS_4.14.1727.ISCOM2828F.167.20130619\n"},
    {"ruckus_fastiron", "SSH@ICX7250>", "", ""},
    {"ruckus_fastiron", "SSH@core>", "show version",
     "  Copyright (c) 1996-2016 Brocade Communications Systems\n"
     "    UNIT 1: compiled on Jul  6 2016 labeled as SPS08030\n"
     "      SW: Version 08.0.30hT311 \n",
     "SSH-2.0-RomSShell_4.62"},
    {"ruijie_os", "Ruijie>", "show version",
     "System description      : Ruijie Full Gigabit Security Intelligence Access Switch\n"},
    {"sonic", "admin@sonic:~$ ", "show version",
     "\nSONiC Software Version: SONiC.202012.0-1d3d3d\nDistribution: Debian 10.8\n"},
    {"sonic", "sonic#", "show version", "Software Version  : '4.0.0-Enterprise_Base' SONiC\n"},
    {"tplink_jetstream", "T1600G>", "show system-info",
     " System Description - JetStream 28-Port Gigabit Smart Switch\n", "SSH-2.0-OpenSSH_8.4", "",
     "Error: Bad command\n"},
    {"ubiquiti_edgerouter", "ubnt@erx:~$ ", "show version",
     "Version:      v1.10.10\nBuild ID:     5210345\nHW model:     EdgeRouter X 5-Port\n"},
    {"ubiquiti_edgerouter", "bob@erx:~$ ", "", "", "SSH-2.0-OpenSSH_7.4",
     "Linux erx 4.14 #1 SMP\nWelcome to EdgeOS\n"},
    {"ubiquiti_edgeswitch", "(UBNT) >", "", ""},
    {"ubiquiti_edgeswitch", "(sw-7) >", "show version",
     "System Description............. EdgeSwitch 24-Port 250W, 1.7.3\n"},
    {"vyatta", "vyatta@fw:~$ ", "show version",
     "Version:      VSE6.7R10\nDescription:  Vyatta 6.7\n"},
    {"vyos", "vyos@r1:~$ ", "show version",
     "Version:          VyOS 1.3.0\nRelease Train: equuleus\n"},
    {"vyos", "vyos@r1> ", "show version", "Version:          VyOS 1.3.0\n"},
    {"vyos", "bob@r1:~$ ", "", "", "SSH-2.0-OpenSSH_7.9p1", "Welcome to VyOS!\n"},
    {"zte_zxros", "ZXR10>", "show version",
     "ZXR10 Router Operating System Software, ZTE Corporation\n"},
    {"zyxel_os", "GS1900#", "show system-information",
     "System Name     : GS1900\nProduct Model   : ZyXEL GS2210\n", "SSH-2.0-OpenSSH_8.4", "",
     "Unknown command\n"},
    {"zyxel_os", "GS1900#", "", "", "SSH-2.0-Zyxel SSH server"},
};

// As the dialogue goes about it.
std::string detected(const Device& device, int& probes) {
  Detection detection(PlatformSet::builtin(), {device.server, device.text}, device.prompt);
  while (const auto probe = detection.next_probe()) {
    ++probes;
    detection.judge(*probe == device.command ? device.output : device.refusal);
  }
  const auto found = detection.found() ? detection.found() : detection.best_guess();
  return found ? found->platform->name : "generic";
}

TEST(DetectionOfPlatforms, FindsEachOfThem) {
  for (const Device& device : kDevices) {
    int probes = 0;
    EXPECT_EQ(detected(device, probes), device.platform)
        << "at \"" << device.prompt << "\", '" << device.command << "', " << device.server << ", "
        << probes << " probes";
  }
}

TEST(DetectionOfPlatforms, LeavesNoneOut) {
  for (const Platform* platform : PlatformSet::builtin().all()) {
    if (platform->name == "generic") continue;
    EXPECT_TRUE(std::any_of(std::begin(kDevices), std::end(kDevices), [&](const Device& device) {
      return device.platform == platform->name;
    })) << platform->name;
  }
}

TEST(DetectionOfPlatforms, LeavesTheUnknownAlone) {
  for (const char* prompt : {"bird> ", "R1#", "R1>", "box %", "[ ok ]>", ">"}) {
    int probes = 0;
    EXPECT_EQ(detected({"", prompt, "", ""}, probes), "generic") << prompt;
  }
}

// A probe may be sent to any device that has such a prompt: it must only show something.
TEST(DetectionOfPlatforms, ProbesOnlyShow) {
  const Pattern harmless =
      Pattern::compile(
          R"(^(?:(?:show|display|get) [a-z \-]+|software show|/system resource print|uname -a)"
          R"(|cat /etc/issue)$)")
          .value();
  for (const Platform* platform : PlatformSet::builtin().all()) {
    for (const Platform::Probe& probe : platform->detect.probes) {
      EXPECT_TRUE(harmless.matches(probe.command)) << platform->name << ": " << probe.command;
    }
  }
}

}  // namespace
}  // namespace netfleet
