// Prints, as "name number" lines, the constants that values.test.ts puts in place of NAMES, as the headers of this system
// have them. Enumerators cannot be asked for with #ifdef: those that the test wants are written out, and CPython's names of
// CAN's broadcast manager are not the kernel's.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netatalk/at.h>
#include <netax25/ax25.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netipx/ipx.h>
#include <netrom/netrom.h>
#include <netrose/rose.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/can.h>
#include <linux/can/bcm.h>
#include <linux/can/isotp.h>
#include <linux/can/j1939.h>
#include <linux/can/raw.h>
#include <linux/if_alg.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/in6.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netlink.h>
#include <linux/qrtr.h>
#include <linux/rds.h>
#include <linux/tcp.h>
#include <linux/tipc.h>
#include <linux/udp.h>
#include <linux/vm_sockets.h>

static void print(const char *name, long long number) {
  printf("%s %lld\n", name, number);
}
#define AS(NAME, NUMBER) print(#NAME, NUMBER)
#define ENUMERATOR(NAME) print(#NAME, NAME)

int main(void) {
#include "names.inc"
  ENUMERATOR(CAN_RAW_FILTER);
  ENUMERATOR(CAN_RAW_ERR_FILTER);
  ENUMERATOR(CAN_RAW_LOOPBACK);
  ENUMERATOR(CAN_RAW_RECV_OWN_MSGS);
  ENUMERATOR(CAN_RAW_FD_FRAMES);
  ENUMERATOR(CAN_RAW_JOIN_FILTERS);
  ENUMERATOR(SCM_J1939_DEST_ADDR);
  ENUMERATOR(SCM_J1939_DEST_NAME);
  ENUMERATOR(SCM_J1939_PRIO);
  ENUMERATOR(SCM_J1939_ERRQUEUE);
  ENUMERATOR(SO_J1939_FILTER);
  ENUMERATOR(SO_J1939_PROMISC);
  ENUMERATOR(SO_J1939_SEND_PRIO);
  ENUMERATOR(SO_J1939_ERRQUEUE);
  ENUMERATOR(J1939_EE_INFO_NONE);
  ENUMERATOR(J1939_EE_INFO_TX_ABORT);
  ENUMERATOR(J1939_NLA_PAD);
  ENUMERATOR(J1939_NLA_BYTES_ACKED);
  ENUMERATOR(IPPORT_USERRESERVED);
  ENUMERATOR(TIPC_CLUSTER_SCOPE);
  ENUMERATOR(TIPC_NODE_SCOPE);
  AS(CAN_BCM_TX_SETUP, TX_SETUP);
  AS(CAN_BCM_TX_DELETE, TX_DELETE);
  AS(CAN_BCM_TX_READ, TX_READ);
  AS(CAN_BCM_TX_SEND, TX_SEND);
  AS(CAN_BCM_RX_SETUP, RX_SETUP);
  AS(CAN_BCM_RX_DELETE, RX_DELETE);
  AS(CAN_BCM_RX_READ, RX_READ);
  AS(CAN_BCM_TX_STATUS, TX_STATUS);
  AS(CAN_BCM_TX_EXPIRED, TX_EXPIRED);
  AS(CAN_BCM_RX_STATUS, RX_STATUS);
  AS(CAN_BCM_RX_TIMEOUT, RX_TIMEOUT);
  AS(CAN_BCM_RX_CHANGED, RX_CHANGED);
  AS(CAN_BCM_SETTIMER, SETTIMER);
  AS(CAN_BCM_STARTTIMER, STARTTIMER);
  AS(CAN_BCM_TX_COUNTEVT, TX_COUNTEVT);
  AS(CAN_BCM_TX_ANNOUNCE, TX_ANNOUNCE);
  AS(CAN_BCM_TX_CP_CAN_ID, TX_CP_CAN_ID);
  AS(CAN_BCM_RX_FILTER_ID, RX_FILTER_ID);
  AS(CAN_BCM_RX_CHECK_DLC, RX_CHECK_DLC);
  AS(CAN_BCM_RX_NO_AUTOTIMER, RX_NO_AUTOTIMER);
  AS(CAN_BCM_RX_ANNOUNCE_RESUME, RX_ANNOUNCE_RESUME);
  AS(CAN_BCM_TX_RESET_MULTI_IDX, TX_RESET_MULTI_IDX);
  AS(CAN_BCM_RX_RTR_FRAME, RX_RTR_FRAME);
  AS(CAN_BCM_CAN_FD_FRAME, CAN_FD_FRAME);
  return 0;
}
