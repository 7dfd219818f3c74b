// What a server answers to one of its clients.
#pragma once

#include "net/asio.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace causeway::backend {

/// Takes the bytes of one connection and produces the bytes to send; does no I/O except logging, and reads no clock:
/// all times are parameters. Belongs to the connection's event loop.
class responder {
public:
    /// The value of `due` when nothing is scheduled.
    static constexpr auto never = clock::time_point::max();

    responder() = default;
    virtual ~responder() = default;
    responder(const responder&) = delete;
    responder& operator=(const responder&) = delete;

    /// Takes `bytes` that arrived at `now`, and appends the bytes to send to `output`. False when the stream cannot be
    /// read any further: the connection ends when everything has been sent.
    virtual bool take(std::string_view bytes, clock::time_point now, std::string& output) = 0;

    /// No more bytes will arrive: appends the last bytes to send.
    virtual void finish(std::string& output) = 0;

    /// When something is to be sent without further input.
    virtual clock::time_point due() const { return never; }

    /// Appends what is due at `now`, which may be nothing.
    virtual void speak(clock::time_point /*now*/, std::string& /*output*/) {}

    /// How many bytes it holds for sending later.
    virtual std::size_t held() const { return 0; }
};

} // namespace causeway::backend
