#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "modes.h"
#include "upgrade.h"

namespace websocket::bench {

std::string runIdle(const Options& options) {
  std::vector<Descriptor> sockets;
  std::string word;
  std::size_t wanted = 0;
  while (std::cin >> word >> wanted) {
    if (word != "open") throw std::invalid_argument("the command is `open N`");
    raiseDescriptorLimit(wanted + 100);
    while (sockets.size() < wanted) {
      if (options.deflate) {
        openDeflated(sockets, options);
        continue;
      }
      sockets.push_back(connectTo(options.port, sockets.size(), false));
      upgradeAsClient(sockets.back());
    }
    std::cout << "{\"open\":" << sockets.size() << "}" << std::endl;
  }
  return "{\"closed\":" + std::to_string(sockets.size()) + "}";
}

}  // namespace websocket::bench
