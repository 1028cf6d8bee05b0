// The job of workload.hpp on SimGrid: one actor and one mailbox for each device, gateway and shard; a star of
// links. simgrid_actors DEVICES
//
// Tuned in SimGrid's favour: the plain flow model, no cross traffic, links that do not share, stacks of 16
// KiB. Its mailboxes are first come, first served, so a message behind one with a longer way waits; the job
// is the same.
#include <simgrid/s4u.hpp>

#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "sim/peers/workload.hpp"

namespace {

namespace s4u = simgrid::s4u;

enum Leg : std::uint32_t { kToShard = 1, kToPartner, kToDevice, kBackToShard, kBackToSender, kBackToDevice };

struct Message {
  std::array<std::uint8_t, peers::kPayloadBytes> body;
  std::uint32_t leg, source, target;
};

class Messenger {
 public:
  explicit Messenger(std::uint32_t count) : count_(count) {
    s4u::NetZone* zone = s4u::create_star_zone("region");
    std::vector<s4u::Host*> device_hosts, gateway_hosts, shard_hosts;
    for (std::uint32_t i = 0; i < count; ++i) {
      device_hosts.push_back(host(zone, "d" + std::to_string(i), peers::link_ns(i)));
    }
    for (std::uint32_t i = 0; i < peers::kGateways; ++i)
      gateway_hosts.push_back(host(zone, "g" + std::to_string(i), 0));
    for (std::uint32_t i = 0; i < peers::kShards; ++i) {
      shard_hosts.push_back(host(zone, "s" + std::to_string(i), peers::kGatewayShardNs));
    }
    zone->seal();
    start(device_hosts, "d", devices_, &Messenger::device);
    start(gateway_hosts, "g", gateways_, &Messenger::gateway);
    start(shard_hosts, "s", shards_, &Messenger::shard);
  }

  const peers::Counts& counts() const { return counts_; }

 private:
  using Body = void (Messenger::*)(std::uint32_t);

  static s4u::Host* host(s4u::NetZone* zone, const std::string& name, std::uint64_t delay_ns) {
    s4u::Host* host = zone->create_host(name, 1e9)->seal();
    const s4u::Link* link = zone->create_link("l" + name, 1e10)
                                ->set_latency(static_cast<double>(delay_ns) * 1e-9)
                                ->set_sharing_policy(s4u::Link::SharingPolicy::FATPIPE)
                                ->seal();
    zone->add_route(host->get_netpoint(), nullptr, nullptr, nullptr, {s4u::LinkInRoute(link)}, true);
    return host;
  }

  void start(const std::vector<s4u::Host*>& hosts, const std::string& prefix,
             std::vector<s4u::Mailbox*>& boxes, Body body) {
    for (std::uint32_t i = 0; i < hosts.size(); ++i)
      boxes.push_back(s4u::Mailbox::by_name(prefix + std::to_string(i)));
    for (std::uint32_t i = 0; i < hosts.size(); ++i) {
      boxes[i]->set_receiver(
          s4u::Actor::create(prefix + std::to_string(i), hosts[i], [this, body, i] { (this->*body)(i); }));
    }
  }

  static void send(s4u::Mailbox* to, Message* message, Leg leg) {
    message->leg = leg;
    to->put_init(message, peers::kPayloadBytes)->detach();
  }

  void device(std::uint32_t self) {
    Message* in = nullptr;
    s4u::CommPtr receiving = devices_[self]->get_async<Message>(&in);
    std::uint32_t k = 0;
    std::uint64_t next = peers::gap_ns(self, 0);
    for (;;) {
      if (next < peers::kWriteNs) {
        const double due = static_cast<double>(next) * 1e-9;
        const double now = s4u::Engine::get_clock();
        if (now >= due) {
          write(self, k++);
          next += peers::gap_ns(self, k);
          continue;
        }
        if (s4u::Comm::wait_any_for({receiving}, due - now) < 0) continue;
      } else {
        receiving->wait();
      }
      if (in->leg == kToDevice) {
        ++counts_.delivered;
        send(gateways_[peers::gateway_of(self)], in, kBackToShard);
      } else {
        ++counts_.acknowledged;
        delete in;
      }
      receiving = devices_[self]->get_async<Message>(&in);
    }
  }
  void write(std::uint32_t self, std::uint32_t k) {
    ++counts_.sent;
    auto* const message = new Message;
    message->body.fill(static_cast<std::uint8_t>(k));
    message->source = self;
    message->target = peers::partner_of(self, k, count_);
    send(gateways_[peers::gateway_of(self)], message, kToShard);
  }

  void gateway(std::uint32_t self) {
    for (;;) {
      auto* const message = gateways_[self]->get<Message>();
      s4u::Mailbox* home = shards_[peers::shard_of(message->source, message->target)];
      switch (message->leg) {
        case kToShard:
          send(home, message, kToPartner);
          break;
        case kToPartner:
          send(devices_[message->target], message, kToDevice);
          break;
        case kBackToShard:
          send(home, message, kBackToSender);
          break;
        default:
          send(devices_[message->source], message, kBackToDevice);
          break;
      }
    }
  }
  void shard(std::uint32_t self) {
    for (;;) {
      auto* const message = shards_[self]->get<Message>();
      const bool forth = message->leg == kToPartner;
      send(gateways_[peers::gateway_of(forth ? message->target : message->source)], message,
           forth ? kToPartner : kBackToSender);
    }
  }

  std::uint32_t count_;
  std::vector<s4u::Mailbox*> devices_, gateways_, shards_;
  peers::Counts counts_;
};

}  // namespace

int main(int argc, char** argv) {
  s4u::Engine engine(&argc, argv);
  if (argc != 2) {
    std::fputs("usage: simgrid_actors DEVICES\n", stderr);
    return 64;
  }
  for (const char* setting : {"network/model:CM02", "network/crosstraffic:0", "network/TCP-gamma:0",
                              "contexts/stack-size:16", "contexts/guard-size:0"}) {
    s4u::Engine::set_config(setting);
  }
  auto* const messenger = new Messenger(peers::count_argument(argv[1]));
  engine.run_until(static_cast<double>(peers::kRunNs) * 1e-9);
  std::_Exit(peers::report(messenger->counts()));  // ten thousand actors need not be taken down
}
