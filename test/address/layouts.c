// Prints, as "name hex" lines, addresses that the system's own structures hold: what families.test.ts must encode to
// the same bytes. The Bluetooth structures are written out: no header for programs has them.
#include <arpa/inet.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <linux/can.h>
#include <linux/if_alg.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/qrtr.h>
#include <linux/tipc.h>
#include <linux/vm_sockets.h>

typedef struct {
  uint8_t b[6];
} __attribute__((packed)) bdaddr_t;

struct sockaddr_l2 {
  sa_family_t l2_family;
  uint16_t l2_psm;
  bdaddr_t l2_bdaddr;
  uint16_t l2_cid;
  uint8_t l2_bdaddr_type;
};

struct sockaddr_rc {
  sa_family_t rc_family;
  bdaddr_t rc_bdaddr;
  uint8_t rc_channel;
};

struct sockaddr_hci {
  sa_family_t hci_family;
  unsigned short hci_dev, hci_channel;
};

struct sockaddr_sco {
  sa_family_t sco_family;
  bdaddr_t sco_bdaddr;
};

static void print(const char *name, const void *address, size_t length) {
  const uint8_t *bytes = address;
  printf("%s ", name);
  for (size_t i = 0; i < length; i++) printf("%02x", bytes[i]);
  printf("\n");
}

#define PRINT(NAME, ...)                                \
  do {                                                  \
    memset(&address, 0, sizeof address);                \
    address = (__typeof__(address)){__VA_ARGS__};       \
    print(NAME, &address, sizeof address);              \
  } while (0)

static void print_unix(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  print("unix unnamed", &address, offsetof(struct sockaddr_un, sun_path));
  strcpy(address.sun_path, "/tmp/a b");
  print("unix path", &address, offsetof(struct sockaddr_un, sun_path) + strlen("/tmp/a b") + 1);
  memcpy(address.sun_path, "\0a\0b", 4);
  print("unix abstract", &address, offsetof(struct sockaddr_un, sun_path) + 4);
}

static void print_bluetooth(void) {
  const bdaddr_t device = {{0x66, 0x55, 0x44, 0x33, 0x22, 0x11}};
  {
    struct sockaddr_l2 address;
    PRINT("l2cap", .l2_family = AF_BLUETOOTH, .l2_psm = 0x1001, .l2_bdaddr = device);
    PRINT("l2cap cid", .l2_family = AF_BLUETOOTH, .l2_bdaddr = device, .l2_cid = 4, .l2_bdaddr_type = 1);
  }
  {
    struct sockaddr_rc address;
    PRINT("rfcomm", .rc_family = AF_BLUETOOTH, .rc_bdaddr = device, .rc_channel = 30);
  }
  {
    struct sockaddr_hci address;
    PRINT("hci", .hci_family = AF_BLUETOOTH, .hci_dev = 0xffff, .hci_channel = 2);
  }
  {
    struct sockaddr_sco address;
    PRINT("sco", .sco_family = AF_BLUETOOTH, .sco_bdaddr = device);
  }
}

int main(void) {
  print_unix();
  print_bluetooth();
  {
    struct sockaddr_nl address;
    PRINT("netlink", .nl_family = AF_NETLINK, .nl_pid = 0x01020304, .nl_groups = 0xf0000005);
  }
  {
    struct sockaddr_ll address;
    PRINT("packet", .sll_family = AF_PACKET, .sll_protocol = htons(0x0800), .sll_ifindex = 1);
    PRINT("packet full", .sll_family = AF_PACKET, .sll_protocol = htons(3), .sll_ifindex = 1, .sll_hatype = 772,
          .sll_pkttype = 4, .sll_halen = 6, .sll_addr = {1, 2, 3, 4, 5, 6});
  }
  {
    struct sockaddr_vm address;
    PRINT("vsock", .svm_family = AF_VSOCK, .svm_port = 1024, .svm_cid = 0xffffffff);
  }
  {
    struct sockaddr_can address;
    PRINT("can", .can_family = AF_CAN, .can_ifindex = 1);
    PRINT("can isotp", .can_family = AF_CAN, .can_ifindex = 1, .can_addr.tp = {0x12345678, 0x80000321});
    PRINT("can j1939", .can_family = AF_CAN, .can_ifindex = 1,
          .can_addr.j1939 = {0x0102030405060708, 0x3ffff, 0xfe});
  }
  {
    struct sockaddr_alg address;
    PRINT("alg", .salg_family = AF_ALG, .salg_type = "skcipher", .salg_feat = 7, .salg_mask = 0xffffffff,
          .salg_name = "cbc(aes)");
  }
  {
    struct sockaddr_tipc address;
    PRINT("tipc name", .family = AF_TIPC, .addrtype = TIPC_ADDR_NAME, .scope = TIPC_NODE_SCOPE,
          .addr.name.name = {1000, 17});
    PRINT("tipc range", .family = AF_TIPC, .addrtype = TIPC_ADDR_NAMESEQ, .scope = TIPC_CLUSTER_SCOPE,
          .addr.nameseq = {1000, 1, 99});
    PRINT("tipc id", .family = AF_TIPC, .addrtype = TIPC_ADDR_ID, .scope = -1, .addr.id = {.ref = 5, .node = 6});
  }
  {
    struct sockaddr_qrtr address;
    PRINT("qrtr", .sq_family = AF_QIPCRTR, .sq_node = 1, .sq_port = 0xfffffffe);
  }
  return 0;
}
