// A C++11 program that uses the installed library: a client's request headers answered by a server handle. Ends with 0
// when both are open.
#include <websocket.h>
#include <websocket_ext.h>

#include <cstring>
#include <iostream>
#include <vector>

namespace {

struct Handle {
  WEB_SOCKET_HANDLE value = nullptr;
  ~Handle() { WebSocketDeleteHandle(value); }
};

bool shakeHands() {
  Handle client;
  Handle server;
  PWEB_SOCKET_HTTP_HEADER headers = nullptr;
  ULONG count = 0;
  PCSTR subprotocols[] = {"chat"};
  ULONG selected = 1;
  if (FAILED(WebSocketCreateClientHandle(nullptr, 0, &client.value)) ||
      FAILED(WebSocketCreateServerHandle(nullptr, 0, &server.value)) ||
      FAILED(WebSocketBeginClientHandshake(client.value, subprotocols, 1, nullptr, 0, nullptr, 0, &headers, &count))) {
    return false;
  }
  std::vector<WEB_SOCKET_HTTP_HEADER> request(headers, headers + count);
  char host[] = "Host";
  char value[] = "localhost";
  request.push_back({host, 4, value, 9});
  return SUCCEEDED(WebSocketBeginServerHandshake(server.value, "chat", nullptr, 0, request.data(),
                                                 static_cast<ULONG>(request.size()), &headers, &count)) &&
         SUCCEEDED(WebSocketEndClientHandshake(client.value, headers, count, nullptr, nullptr, &selected)) &&
         SUCCEEDED(WebSocketEndServerHandshake(server.value)) && selected == 0;
}

}  // namespace

int main() {
  if (!shakeHands()) {
    std::cerr << "the handshake failed\n";
    return 1;
  }
  return 0;
}
