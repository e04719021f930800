// The driver as a whole: ids, handlers that end connections, descriptors, handles and the loop.
#include "driver.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "driver_fixture.h"

namespace websocket::driver {
namespace {

int openDescriptors() {
  DIR* const folder = opendir("/proc/self/fd");
  int count = 0;
  while (readdir(folder) != nullptr) {
    ++count;
  }
  closedir(folder);
  return count;
}

TEST_F(DriverTest, AStaleIdFindsNothing) {
  const Native first = connectNative(Role::Server);
  connection(first.id).close(0, false);
  EXPECT_EQ(driver_->find(first.id), nullptr);
  const Native second = connectNative(Role::Server);
  EXPECT_NE(first.id, second.id);
  EXPECT_EQ(driver_->find(first.id), nullptr);
  EXPECT_EQ(driver_->find(0), nullptr);
  EXPECT_EQ(driver_->find(0xFFFFFFFF), nullptr);
}

TEST_F(DriverTest, IdsOfOneSlotDoNotRepeatSoon) {
  const Native other = connectNative(Role::Server);  // keeps the loop alive
  std::set<ConnectionId> ids;
  ConnectionId highestSlot = 0;
  for (int index = 0; index < 4000; ++index) {
    Connection& made = *driver_->create(*options_, Role::Server);
    EXPECT_NE(made.id(), 0U);
    EXPECT_TRUE(ids.insert(made.id()).second);
    highestSlot = std::max(highestSlot, made.id() & ((1U << ConnectionTable::kSlotBits) - 1));
    made.close(0, false);
    uv_run(&loop_, UV_RUN_NOWAIT);
  }
  EXPECT_LT(highestSlot, 4U) << "slots are used again";
}

// Handlers find connections by their slots: another connection there would hide the last event.
TEST_F(DriverTest, ASlotIsTakenUntilTheLastEventWasDelivered) {
  constexpr ConnectionId kSlots = (1U << ConnectionTable::kSlotBits) - 1;
  const Native first = connectNative(Role::Server);
  connection(first.id).close(0, false);
  const Native second = connectNative(Role::Server);
  EXPECT_NE(second.id & kSlots, first.id & kSlots);
  runUntil([&] { return saw(EventKind::Closed); });
  runBriefly();
  const Native third = connectNative(Role::Server);
  EXPECT_EQ(third.id & kSlots, first.id & kSlots);
}

TEST_F(DriverTest, AConnectionThatWasNeverAttachedHasNoEvents) {
  options_ = driver_->createOptions(limits_);
  driver_->create(*options_, Role::Client)->close(0, false);
  runBriefly();
  EXPECT_TRUE(delegate_.events.empty());
}

TEST_F(DriverTest, HandlersMayEndAnyConnectionInTheMiddleOfABatch) {
  std::vector<Native> natives;
  for (int index = 0; index < 10; ++index) {
    natives.push_back(connectNative(Role::Server));
    natives.back().peer.write(clientFrame(kText, "x") + clientFrame(kText, "y"));
  }
  bool first = true;
  delegate_.onEvent = [&](const SeenEvent&) {
    if (std::exchange(first, false)) {
      for (const Native& native : natives) {
        connection(native.id).close(0, false);
      }
    }
  };
  runUntil([&] { return eventsOf(EventKind::Closed).size() == 10; });
  EXPECT_EQ(eventsOf(EventKind::Text).size(), 20U) << "what was received before is still told";
}

TEST_F(DriverTest, HandlersMayMakeConnections) {
  const Native native = connectNative(Role::Server);
  std::vector<Native> made;
  delegate_.onEvent = [&](const SeenEvent& event) {
    if (event.connection == native.id) {
      for (int index = 0; index < 100; ++index) {
        made.push_back(connectNative(Role::Server, Socket::Unix, "", clientFrame(kText, "head")));
      }
    }
  };
  native.peer.write(clientFrame(kText, "go"));
  runUntil([&] { return delegate_.events.size() == 101; });
}

TEST_F(DriverTest, TwoConnectionsThatAnswerEachOtherForEverLeaveTheLoopItsTurn) {
  delegate_.onWrite = [this](ConnectionId id) { connection(id).written(0); };
  const ConnectionId server = connectStream(Role::Server);
  int answers = 0;
  delegate_.onEvent = [&](const SeenEvent&) {
    ++answers;
    connection(server).receive(bytesOf(clientFrame(kText, "again")));
  };
  connection(server).receive(bytesOf(clientFrame(kText, "start")));
  bool timerFired = false;
  uv_timer_t timer{};
  uv_timer_init(&loop_, &timer);
  timer.data = &timerFired;
  uv_timer_start(
      &timer, [](uv_timer_t* handle) { *static_cast<bool*>(handle->data) = true; }, 5, 0);
  runUntil([&] { return timerFired; });
  EXPECT_GT(answers, 10);
  delegate_.onEvent = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&timer), nullptr);
  runBriefly();
}

TEST_F(DriverTest, AThousandConnectionsLoseNoDescriptor) {
  answerCloseFrames();
  const auto openAndClose = [&] {
    delegate_.events.clear();
    Native native = connectNative(Role::Server);
    native.peer.write(clientFrame(kText, "x") + clientFrame(kClose, closePayload(1000)));
    runUntilEnded(native.peer);
    native.peer.close();
    runUntil([&] { return saw(EventKind::Closed); });
  };
  openAndClose();  // the first use may open something for good
  const int before = openDescriptors();
  for (int round = 0; round < 1000; ++round) {
    openAndClose();
  }
  EXPECT_EQ(openDescriptors(), before);
}

TEST_F(DriverTest, AnIdleDriverDoesNotKeepTheLoopAlive) {
  EXPECT_EQ(uv_run(&loop_, UV_RUN_DEFAULT), 0);
  EXPECT_EQ(uv_loop_alive(&loop_), 0);
}

TEST_F(DriverTest, AnOpenConnectionKeepsTheLoopAliveUnlessUnreferenced) {
  const Native native = connectNative(Role::Server);
  runBriefly();
  EXPECT_NE(uv_loop_alive(&loop_), 0);
  connection(native.id).setRef(false);
  EXPECT_EQ(uv_loop_alive(&loop_), 0);
  connection(native.id).setRef(true);
  EXPECT_NE(uv_loop_alive(&loop_), 0);
}

// The descriptor of the driver's end of a TCP connection.
int descriptorOf(const Connection& connection) {
  SocketAddress own;
  EXPECT_TRUE(connection.address(false, own));
  for (int fd = 3; fd < 1024; ++fd) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0 && address.sin_family == AF_INET &&
        ntohs(address.sin_port) == own.port) {
      return fd;
    }
  }
  return -1;
}

int optionOf(int fd, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  EXPECT_EQ(getsockopt(fd, level, name, &value, &size), 0);
  return value;
}

TEST_F(DriverTest, SettingsOfATcpSocketReachIt) {
  const Native native = connectNative(Role::Server, Socket::Tcp);
  Connection& tcp = connection(native.id);
  const int fd = descriptorOf(tcp);
  tcp.setNoDelay(true);
  EXPECT_EQ(optionOf(fd, IPPROTO_TCP, TCP_NODELAY), 1);
  tcp.setNoDelay(false);
  EXPECT_EQ(optionOf(fd, IPPROTO_TCP, TCP_NODELAY), 0);
  EXPECT_EQ(optionOf(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
  tcp.setKeepAlive(true, 30);
  EXPECT_EQ(optionOf(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(optionOf(fd, IPPROTO_TCP, TCP_KEEPIDLE), 30);
  tcp.setKeepAlive(true, 0);
  EXPECT_EQ(optionOf(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(optionOf(fd, IPPROTO_TCP, TCP_KEEPIDLE), 7200);
  tcp.setKeepAlive(false, 0);
  EXPECT_EQ(optionOf(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
}

TEST_F(DriverTest, WhatIsNoTcpSocketHasNoSuchSettings) {
  const Native native = connectNative(Role::Server, Socket::Unix);
  for (const ConnectionId id : {native.id, connectStream(Role::Server)}) {
    connection(id).setNoDelay(true);
    connection(id).setKeepAlive(true, 30);
    EXPECT_EQ(sendText(id, "still open"), Result::Ok);
  }
  Connection& notOpenYet = *driver_->create(*options_, Role::Server);
  notOpenYet.setNoDelay(true);
  notOpenYet.setKeepAlive(true, 30);
}

TEST_F(DriverTest, TearsDownWithOpenConnectionsAndWritesUnderWay) {
  // What the fixture's TearDown checks.
  std::vector<Native> natives;
  for (int index = 0; index < 20; ++index) {
    natives.push_back(connectNative(index % 2 == 0 ? Role::Server : Role::Client, Socket::Tcp));
    EXPECT_EQ(sendText(natives.back().id, std::string(4 << 20, 'x'), 1), Result::Ok);
  }
  connectStream(Role::Server);
  runBriefly();
  EXPECT_EQ(sendText(natives[0].id, "still queued"), Result::Ok);
}

TEST_F(DriverTest, RefusesDescriptorsThatAreNoConnectedStreamSocket) {
  options_ = driver_->createOptions(limits_);
  const auto attach = [&](int fd, bool isPipe) {
    Connection& made = *driver_->create(*options_, Role::Server);
    EXPECT_EQ(made.session().open(), Result::Ok);
    const int error = driver_->attachNative(made, fd, isPipe, {}, {});
    EXPECT_FALSE(made.attached());
    made.close(0, false);
    return error;
  };
  EXPECT_EQ(attach(-1, false), UV_EBADF);
  EXPECT_EQ(attach(999999, false), UV_EBADF);
  const int file = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  EXPECT_EQ(attach(file, false), UV_EINVAL);
  ::close(file);
  const int datagram = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(attach(datagram, false), UV_EINVAL);
  ::close(datagram);
  std::array<int, 2> pair{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()), 0);
  EXPECT_EQ(attach(pair[0], false), UV_EINVAL) << "a Unix socket passed as TCP";
  ::close(pair[0]);
  ::close(pair[1]);
}

TEST_F(DriverTest, AFailedAttachLeavesTheConnectionForAStream) {
  options_ = driver_->createOptions(limits_);
  Connection& made = *driver_->create(*options_, Role::Server);
  EXPECT_EQ(made.session().open(), Result::Ok);
  EXPECT_EQ(driver_->attachNative(made, -1, false, {}, {}), UV_EBADF);
  EXPECT_EQ(driver_->attachStream(made, bytesOf(clientFrame(kText, "works"))), 0);
  runUntil([&] { return saw(EventKind::Text); });
}

TEST_F(DriverTest, ServesAHandshakeOfTheSession) {
  options_ = driver_->createOptions(limits_);
  Connection& server = *driver_->create(*options_, Role::Server);
  Connection& client = *driver_->create(*options_, Role::Client);
  std::span<const HeaderView> request;
  ASSERT_EQ(client.session().beginClientHandshake({}, {}, request), Result::Ok);
  std::vector<HeaderView> withHost(request.begin(), request.end());
  withHost.push_back({"Host", "localhost"});
  std::span<const HeaderView> response;
  ASSERT_EQ(server.session().beginServerHandshake("", {}, withHost, response), Result::Ok);
  ClientSelection selection;
  ASSERT_EQ(client.session().endClientHandshake(response, selection), Result::Ok);
  delegate_.onWrite = [this](ConnectionId id) { connection(id).written(0); };
  EXPECT_EQ(driver_->attachStream(server, {}), 0);
  EXPECT_EQ(driver_->attachStream(client, {}), 0);
  EXPECT_EQ(sendText(client.id(), "hello"), Result::Ok);
  runUntil([&] { return !delegate_.streamOutput[client.id()].empty(); });
  connection(server.id()).receive(bytesOf(delegate_.streamOutput[client.id()]));
  runUntil([&] { return saw(EventKind::Text); });
}

}  // namespace
}  // namespace websocket::driver
