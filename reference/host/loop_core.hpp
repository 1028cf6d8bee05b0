// What the loop is made of; for event_loop.cpp and web_socket.cpp, which alone include Asio.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <chrono>

#include "reference/host/event_loop.hpp"

namespace wavetank::host {

struct EventLoop::Core {
  boost::asio::io_context context{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{context.get_executor()};
  boost::asio::signal_set signals{context};
  std::function<void(int)> signal_received;
  std::chrono::steady_clock::time_point steady_start = std::chrono::steady_clock::now();
  TimeNs system_start = std::chrono::duration_cast<std::chrono::nanoseconds>(
                            std::chrono::system_clock::now().time_since_epoch())
                            .count();

  void wait_for_signal();
};

}  // namespace wavetank::host
