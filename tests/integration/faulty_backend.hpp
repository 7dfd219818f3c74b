// A backend that makes every mistake a backend can make, at random, from a seed.
#pragma once

#include "kit.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace causeway::test {

/// What can happen instead of a reply.
enum class fault : std::size_t {
    closes_at_once,  ///< accepts and closes
    never_answers,   ///< accepts and then does nothing
    closes,          ///< FIN
    resets,          ///< RST
    stops_reading,   ///< for a while
    forgets,         ///< reads and does not answer
    delays,          ///< answers late, which delays later answers too
    half_a_reply,    ///< sends half of it, waits, and sends the rest or closes
    garbage,         ///< a message that cannot be read
    endless_garbage, ///< and without an end
    repeats,         ///< answers twice
    reorders,        ///< answers after questions that arrived later
    wrong_reply,     ///< answers a question that may not have been asked
    goes_away,       ///< closes all connections and refuses new ones for a while
    count,
};

/// What a backend reads and writes, while it does nothing wrong.
struct backend_language {
    /// The next question; an empty text when the connection has ended.
    std::function<awaitable<std::string>(peer& peer)> question;

    /// The bytes that answer it.
    std::function<std::string(const std::string& question)> reply;

    /// The bytes of a reply to a question that may not have been asked, one of many.
    std::function<std::string(std::uint32_t any)> wrong_reply;

    std::string garbage;         ///< a message that cannot be read, after which the next one can
    std::string endless_garbage; ///< which ends the connection
};

/// The codes.
backend_language language_of_codes();

/// Listens on one port of 127.0.0.1 and serves any number of connections, drawing each reply or fault from the same
/// random source.
class faulty_backend {
public:
    faulty_backend(asio::io_context& io, std::uint32_t seed, backend_language language = language_of_codes());
    faulty_backend(const faulty_backend&) = delete;
    faulty_backend& operator=(const faulty_backend&) = delete;

    net::host_port address() const { return {"127.0.0.1", port_}; }

    /// How often each fault has been injected.
    const std::array<std::uint64_t, static_cast<std::size_t>(fault::count)>& injected() const { return injected_; }
    std::uint64_t faults() const;

    /// Closes everything permanently.
    void stop();

private:
    awaitable<> listen();
    awaitable<> serve(tcp_socket socket);
    awaitable<> misbehave(peer& peer);
    awaitable<bool> inject(fault fault, peer& peer, std::string reply);
    awaitable<> pause();
    void close_all();

    std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(random_()) % bound; }
    void note(fault fault) { ++injected_[static_cast<std::size_t>(fault)]; }

    asio::io_context& io_;
    std::mt19937 random_;
    backend_language language_;
    std::uint16_t port_ = 0;
    tcp_acceptor acceptor_;
    steady_timer away_;
    std::vector<peer*> peers_;
    std::string held_back_;
    std::array<std::uint64_t, static_cast<std::size_t>(fault::count)> injected_{};
    bool stopped_ = false;
};

} // namespace causeway::test
