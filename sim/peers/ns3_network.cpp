// The job of workload.hpp on ns-3's nodes, point-to-point links, IPv4 and UDP sockets.  ns3_network DEVICES
//
// A device has one link to its gateway, with its own delay; each gateway has one to each shard. Gateways and
// shards forward as applications, as a messenger's do. Routes are those that come with the interfaces; links
// are fast (10 Gbit/s), so that delays are what workload.hpp says.
#include <ns3/core-module.h>
#include <ns3/internet-module.h>
#include <ns3/network-module.h>
#include <ns3/point-to-point-module.h>

#include <array>
#include <cstring>
#include <vector>

#include "sim/peers/workload.hpp"

namespace {

using ns3::Ipv4Address;
using ns3::Ptr;
using ns3::Socket;

constexpr std::uint16_t kPort = 9;

// Where a message is: it is named by the part of its way that it takes next.
enum Leg : std::uint32_t { kToShard = 1, kToPartner, kToDevice, kBackToShard, kBackToSender, kBackToDevice };

struct Header {
  std::uint32_t leg, source, target, number;
};
static_assert(sizeof(Header) <= peers::kPayloadBytes);

class Messenger {
 public:
  explicit Messenger(std::uint32_t devices) : devices_(devices) {
    device_nodes_.Create(devices);
    gateway_nodes_.Create(peers::kGateways);
    shard_nodes_.Create(peers::kShards);
    ns3::InternetStackHelper stack;
    stack.SetIpv6StackInstall(false);
    const ns3::Ipv4StaticRoutingHelper routing;
    stack.SetRoutingHelper(routing);
    for (const auto* nodes : {&device_nodes_, &gateway_nodes_, &shard_nodes_}) stack.Install(*nodes);
    ns3::Ipv4AddressGenerator::TestMode();  // no book of addresses: it is searched for every new one
    connect();
    open_sockets();
    for (std::uint32_t device = 0; device < devices_; ++device) schedule_write(device, 0, 0);
  }

  peers::Counts run() {
    ns3::Simulator::Stop(ns3::NanoSeconds(peers::kRunNs));
    ns3::Simulator::Run();
    return counts_;
  }

 private:
  using Receive = void (Messenger::*)(Ptr<Socket>);

  void connect() {
    for (std::uint32_t gateway = 0; gateway < peers::kGateways; ++gateway) {
      for (std::uint32_t shard = 0; shard < peers::kShards; ++shard) {
        const auto ends = link(gateway_nodes_.Get(gateway), shard_nodes_.Get(shard), peers::kGatewayShardNs);
        gateway_at_shard_[gateway][shard] = ends[0];
        shard_at_gateway_[gateway][shard] = ends[1];
      }
    }
    for (std::uint32_t device = 0; device < devices_; ++device) {
      const auto ends = link(device_nodes_.Get(device), gateway_nodes_.Get(peers::gateway_of(device)),
                             peers::link_ns(device));
      device_address_.push_back(ends[0]);
      gateway_of_device_.push_back(ends[1]);
    }
  }

  // A link with a network of its own; the addresses of its two ends.
  std::array<Ipv4Address, 2> link(Ptr<ns3::Node> a, Ptr<ns3::Node> b, std::uint64_t delay_ns) {
    ns3::PointToPointHelper helper;
    helper.SetDeviceAttribute("DataRate", ns3::StringValue("10Gbps"));
    helper.SetChannelAttribute("Delay", ns3::TimeValue(ns3::NanoSeconds(delay_ns)));
    ns3::Ipv4AddressHelper addresses;
    addresses.SetBase(Ipv4Address(next_network_), ns3::Ipv4Mask(0xfffffffc));
    next_network_ += 4;
    const auto interfaces = addresses.Assign(helper.Install(a, b));
    return {interfaces.GetAddress(0), interfaces.GetAddress(1)};
  }

  void open_sockets() {
    for (std::uint32_t i = 0; i < devices_; ++i)
      devices_sockets_.push_back(open(device_nodes_.Get(i), &Messenger::at_device));
    for (std::uint32_t i = 0; i < peers::kGateways; ++i) open(gateway_nodes_.Get(i), &Messenger::at_gateway);
    for (std::uint32_t i = 0; i < peers::kShards; ++i) open(shard_nodes_.Get(i), &Messenger::at_shard);
  }
  Ptr<Socket> open(Ptr<ns3::Node> node, Receive receive) {
    Ptr<Socket> socket = Socket::CreateSocket(node, ns3::UdpSocketFactory::GetTypeId());
    socket->Bind(ns3::InetSocketAddress(Ipv4Address::GetAny(), kPort));
    socket->SetRecvCallback(ns3::MakeCallback(receive, this));
    return socket;
  }

  static void send(Ptr<Socket> from, Header header, Leg leg, Ipv4Address to) {
    header.leg = leg;
    std::array<std::uint8_t, peers::kPayloadBytes> bytes{};
    std::memcpy(bytes.data(), &header, sizeof header);
    from->SendTo(ns3::Create<ns3::Packet>(bytes.data(), peers::kPayloadBytes), 0,
                 ns3::InetSocketAddress(to, kPort));
  }
  static bool receive(Ptr<Socket> socket, Header& header) {
    ns3::Address from;
    const Ptr<ns3::Packet> packet = socket->RecvFrom(from);
    if (!packet) return false;
    std::array<std::uint8_t, peers::kPayloadBytes> bytes{};
    packet->CopyData(bytes.data(), peers::kPayloadBytes);
    std::memcpy(&header, bytes.data(), sizeof header);
    return true;
  }

  void schedule_write(std::uint32_t device, std::uint32_t k, std::uint64_t now) {
    const std::uint64_t gap = peers::gap_ns(device, k);
    if (now + gap >= peers::kWriteNs) return;
    ns3::Simulator::ScheduleWithContext(device, ns3::NanoSeconds(gap), &Messenger::write, this, device, k);
  }
  void write(std::uint32_t device, std::uint32_t k) {
    ++counts_.sent;
    send(devices_sockets_[device], {0, device, peers::partner_of(device, k, devices_), k}, kToShard,
         gateway_of_device_[device]);
    schedule_write(device, k + 1, static_cast<std::uint64_t>(ns3::Simulator::Now().GetTimeStep()));
  }

  void at_device(Ptr<Socket> socket) {
    for (Header header{}; receive(socket, header);) {
      if (header.leg == kToDevice) {
        ++counts_.delivered;
        send(socket, header, kBackToShard, gateway_of_device_[header.target]);
      } else {
        ++counts_.acknowledged;
      }
    }
  }
  void at_gateway(Ptr<Socket> socket) {
    for (Header header{}; receive(socket, header);) {
      const std::uint32_t shard = peers::shard_of(header.source, header.target);
      const auto shard_at = [&](std::uint32_t device) {
        return shard_at_gateway_[peers::gateway_of(device)][shard];
      };
      switch (header.leg) {
        case kToShard:
          send(socket, header, kToPartner, shard_at(header.source));
          break;
        case kToPartner:
          send(socket, header, kToDevice, device_address_[header.target]);
          break;
        case kBackToShard:
          send(socket, header, kBackToSender, shard_at(header.target));
          break;
        default:
          send(socket, header, kBackToDevice, device_address_[header.source]);
          break;
      }
    }
  }
  void at_shard(Ptr<Socket> socket) {
    for (Header header{}; receive(socket, header);) {
      const std::uint32_t shard = peers::shard_of(header.source, header.target);
      const bool forth = header.leg == kToPartner;
      const std::uint32_t gateway = peers::gateway_of(forth ? header.target : header.source);
      send(socket, header, forth ? kToPartner : kBackToSender, gateway_at_shard_[gateway][shard]);
    }
  }

  std::uint32_t devices_;
  ns3::NodeContainer device_nodes_, gateway_nodes_, shard_nodes_;
  std::uint32_t next_network_ = 0x0a000000;
  std::array<std::array<Ipv4Address, peers::kShards>, peers::kGateways> gateway_at_shard_, shard_at_gateway_;
  std::vector<Ipv4Address> device_address_, gateway_of_device_;
  std::vector<Ptr<Socket>> devices_sockets_;
  peers::Counts counts_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: ns3_network DEVICES\n", stderr);
    return 64;
  }
  auto* const messenger = new Messenger(peers::count_argument(argv[1]));
  std::_Exit(peers::report(messenger->run()));  // the network need not be taken down
}
