#include "backend/client.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <string_view>
#include <utility>

namespace causeway::backend {

client::client(tcp_socket socket, std::unique_ptr<responder> responder)
    : socket_(std::move(socket))
    , responder_(std::move(responder))
    , has_replies_(socket_.get_executor())
    , has_room_(socket_.get_executor())
    , due_(socket_.get_executor())
{
}

awaitable<> client::run()
{
    using namespace asio::experimental::awaitable_operators;
    co_await (read() && write() && speak_when_due());
}

awaitable<> client::read()
{
    std::array<char, 8 * 1024> buffer;
    for (bool readable = true; readable;) {
        while (socket_.is_open() && unsent() >= most_unsent)
            co_await has_room_.wait();
        const auto [error, count] = co_await socket_.async_read_some(asio::buffer(buffer), as_result);
        if (error)
            break;
        readable = responder_->take(std::string_view(buffer.data(), count), clock::now(), replies_);
        has_replies_.notify();
        if (responder_->due() < due_.expiry())
            due_.cancel();
    }
    responder_->finish(replies_);
    all_read_ = true;
    has_replies_.notify();
    due_.cancel();
}

awaitable<> client::write()
{
    for (;;) {
        while (replies_.empty() && !all_read_)
            co_await has_replies_.wait();
        if (replies_.empty())
            co_return;
        std::swap(replies_, being_sent_);
        const auto [error, count] = co_await asio::async_write(socket_, asio::buffer(being_sent_), as_result);
        being_sent_.clear();
        if (error)
            break;
        has_room_.notify();
    }
    // The replies collected so far cannot be sent: the reader must neither wait for room nor read on.
    replies_.clear();
    close();
}

awaitable<> client::speak_when_due()
{
    while (!all_read_) {
        due_.expires_at(responder_->due());
        co_await due_.async_wait(as_result); // also ends when something else is due sooner, or everything was read
        if (all_read_)
            break;
        responder_->speak(clock::now(), replies_);
        has_replies_.notify();
    }
}

// The reader waits for the socket or for room; the other coroutines learn from it.
void client::close()
{
    error_code ignored;
    socket_.close(ignored);
    has_room_.notify();
}

} // namespace causeway::backend
