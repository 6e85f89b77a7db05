// Prints, as "name hex" lines, option values that the system's own structures hold: what layouts.test.ts must encode to
// the same bytes. The Bluetooth structures are written out: no header for programs has them.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <linux/can/isotp.h>
#include <linux/can/j1939.h>
#include <linux/can/raw.h>
#include <linux/errqueue.h>
#include <linux/filter.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <linux/tcp.h>
#include <linux/tipc.h>

struct bt_security {
  uint8_t level, key_size;
};
struct l2cap_options {
  uint16_t omtu, imtu, flush_to;
  uint8_t mode, fcs, max_tx;
  uint16_t txwin_size;
};
struct l2cap_conninfo {
  uint16_t hci_handle;
  uint8_t dev_class[3];
};
struct hci_ufilter {
  uint32_t type_mask, event_mask[2];
  uint16_t opcode;
};

static void print(const char *name, const void *value, size_t length) {
  const uint8_t *bytes = value;
  printf("%s ", name);
  for (size_t i = 0; i < length; i++) printf("%02x", bytes[i]);
  printf("\n");
}

#define PRINT(NAME, TYPE, ...)          \
  do {                                  \
    TYPE value;                         \
    memset(&value, 0, sizeof value);    \
    value = (TYPE){__VA_ARGS__};        \
    print(NAME, &value, sizeof value);  \
  } while (0)

static struct in_addr in4(const char *text) {
  struct in_addr address;
  inet_pton(AF_INET, text, &address);
  return address;
}

static struct in6_addr in6(const char *text) {
  struct in6_addr address;
  inet_pton(AF_INET6, text, &address);
  return address;
}

static struct sockaddr_storage host(const char *text) {
  struct sockaddr_storage storage;
  memset(&storage, 0, sizeof storage);
  if (strchr(text, ':') != NULL) {
    struct sockaddr_in6 *address = (struct sockaddr_in6 *)&storage;
    address->sin6_family = AF_INET6;
    address->sin6_addr = in6(text);
  } else {
    struct sockaddr_in *address = (struct sockaddr_in *)&storage;
    address->sin_family = AF_INET;
    address->sin_addr = in4(text);
  }
  return storage;
}

static void print_requests(void) {
  struct group_req group;
  struct group_source_req source;
  PRINT("ip_mreqn", struct ip_mreqn, in4("239.1.2.3"), in4("127.0.0.1"), 7);
  PRINT("ip_mreqn index", struct ip_mreqn, .imr_ifindex = 7);
  PRINT("ip_mreq_source", struct ip_mreq_source, .imr_multiaddr = in4("232.1.2.3"), .imr_interface = in4("127.0.0.1"),
        .imr_sourceaddr = in4("10.0.0.1"));
  PRINT("ipv6_mreq", struct ipv6_mreq, in6("ff02::114"), 7);
  memset(&group, 0, sizeof group);
  group.gr_interface = 7;
  group.gr_group = host("239.1.2.3");
  print("group_req", &group, sizeof group);
  memset(&source, 0, sizeof source);
  source.gsr_interface = 7;
  source.gsr_group = host("ff35::1");
  source.gsr_source = host("fd00::5");
  print("group_source_req", &source, sizeof source);
}

static void print_tcp(void) {
  struct tcp_md5sig md5;
  memset(&md5, 0, sizeof md5);
  md5.tcpm_addr = *(struct __kernel_sockaddr_storage *)&(struct sockaddr_storage[]){host("10.0.0.1")}[0];
  md5.tcpm_keylen = 6;
  memcpy(md5.tcpm_key, "secret", 6);
  print("tcp_md5sig", &md5, sizeof md5);
  md5.tcpm_flags = TCP_MD5SIG_FLAG_PREFIX | TCP_MD5SIG_FLAG_IFINDEX;
  md5.tcpm_prefixlen = 24;
  md5.tcpm_ifindex = 7;
  print("tcp_md5sig network", &md5, sizeof md5);
  PRINT("tcp_repair_window", struct tcp_repair_window, 1, 2, 3, 4, 5);

  struct tcp_info info;
  uint8_t *bytes = (uint8_t *)&info;
  for (size_t i = 0; i < sizeof info; i++) bytes[i] = (uint8_t)(i * 7);
  info.tcpi_snd_wscale = 7;
  info.tcpi_rcv_wscale = 9;
  info.tcpi_delivery_rate_app_limited = 1;
  info.tcpi_fastopen_client_fail = 2;
  info.tcpi_rtt = 1234567;
  info.tcpi_total_retrans = 42;
  info.tcpi_max_pacing_rate = ~0ULL;
  info.tcpi_delivery_rate = 1ULL << 40;
  info.tcpi_delivered_ce = 3;
  info.tcpi_bytes_retrans = 5;
  info.tcpi_snd_wnd = 65535;
  print("tcp_info", &info, sizeof info);
}

static void print_bluetooth_and_cluster(void) {
  PRINT("bt_security", struct bt_security, 2, 16);
  PRINT("l2cap_options", struct l2cap_options, 672, 673, 0xffff, 3, 1, 4, 63);
  PRINT("l2cap_conninfo", struct l2cap_conninfo, 0x0102, {3, 4, 5});
  PRINT("hci_ufilter", struct hci_ufilter, 0x10, {0x20, 0x30}, 0x40);
  PRINT("tipc_group_req", struct tipc_group_req, 1000, 1, 2, 3);
}

static void print_control_messages(void) {
  PRINT("in_pktinfo", struct in_pktinfo, 7, in4("10.0.0.1"), in4("239.1.2.3"));
  struct {
    struct sock_extended_err error;
    struct sockaddr_in6 offender;
  } refused = {{ECONNREFUSED, SO_EE_ORIGIN_ICMP6, 1, 4, 0, 6, {7}}, {0}};
  print("sock_extended_err", &refused.error, sizeof refused.error);
  refused.offender.sin6_family = AF_INET6;
  refused.offender.sin6_addr = in6("fd00::5");
  refused.offender.sin6_scope_id = 3;
  print("sock_extended_err offender", &refused, sizeof refused);
  struct {
    struct sock_extended_err error;
    struct sockaddr_in offender;
  } refused4 = {{EHOSTUNREACH, SO_EE_ORIGIN_ICMP, 3, 1, 0, 0, {0}}, {AF_INET, 0, in4("10.0.0.1"), {0}}};
  print("sock_extended_err offender4", &refused4, sizeof refused4);
  PRINT("timeval time", struct timeval, 1700000000, 123456);
  PRINT("timespec", struct timespec, 1700000000, 123456789);
  PRINT("scm_timestamping software", struct scm_timestamping, {{1700000000, 5}, {0, 0}, {0, 0}});
  PRINT("scm_timestamping hardware", struct scm_timestamping, {{0, 0}, {0, 0}, {9, 8}});
  PRINT("scm_ts_pktinfo", struct scm_ts_pktinfo, 7, 1500, {0, 0});
  PRINT("tpacket_auxdata", struct tpacket_auxdata, TP_STATUS_VLAN_VALID, 1514, 1000, 14, 18, 5, 0x8100);
}

int main(void) {
  PRINT("linger", struct linger, 1, 5);
  PRINT("timeval", struct timeval, 2, 500000);
  PRINT("ucred", struct ucred, 1, 2, 0xffffffff);
  PRINT("sock_txtime", struct sock_txtime, 11, SOF_TXTIME_REPORT_ERRORS);
  struct sock_filter program[] = {{0x28, 0, 0, 12}, {0x15, 0, 1, 0x806}, {6, 0, 0, 0xffffffff}, {6, 0, 0, 0}};
  print("sock_filter", program, sizeof program);
  print_requests();
  print_tcp();
  PRINT("in6_pktinfo", struct in6_pktinfo, in6("fd00::5"), 7);
  PRINT("packet_mreq promisc", struct packet_mreq, 7, PACKET_MR_PROMISC, 0, {0});
  PRINT("packet_mreq address", struct packet_mreq, 7, PACKET_MR_MULTICAST, 6, {1, 2, 3, 4, 5, 6});
  PRINT("tpacket_stats", struct tpacket_stats_v3, 3, 2, 1);
  PRINT("fanout_args", struct fanout_args, .id = 77, .type_flags = 0x8000, .max_num_members = 9);
  PRINT("icmp_filter", struct icmp_filter, ~(1U << ICMP_ECHOREPLY));
  struct icmp6_filter filter;
  memset(&filter, 0xff, sizeof filter);
  filter.data[ICMPV6_ECHO_REPLY >> 5] &= ~(1U << (ICMPV6_ECHO_REPLY & 31));
  print("icmp6_filter", &filter, sizeof filter);
  PRINT("can_filter", struct can_filter, 0x123 | CAN_INV_FILTER, CAN_SFF_MASK);
  PRINT("can_isotp_options", struct can_isotp_options, 1, 2, 3, 4, 5, 6);
  PRINT("can_isotp_fc_options", struct can_isotp_fc_options, 1, 2, 3);
  PRINT("can_isotp_ll_options", struct can_isotp_ll_options, 72, 64, 1);
  PRINT("j1939_filter", struct j1939_filter, 0x0102030405060708, ~0ULL, 0x3ff00, 0x3ff00, 0x20, 0xff);
  print_bluetooth_and_cluster();
  print_control_messages();
  return 0;
}
