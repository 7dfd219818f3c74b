#include "backend/client.hpp"

#include "protocols/codes/catalogue.hpp"
#include "protocols/codes/request.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <string_view>
#include <utility>

namespace causeway::backend {

client::client(tcp_socket socket)
    : socket_(std::move(socket))
    , has_replies_(socket_.get_executor())
    , has_room_(socket_.get_executor())
{
}

awaitable<> client::run()
{
    using namespace asio::experimental::awaitable_operators;
    co_await (read_codes() && write_replies());
}

awaitable<> client::read_codes()
{
    codes::request_decoder decoder;
    std::array<char, 8 * 1024> buffer;
    for (;;) {
        while (unsent() >= most_unsent)
            co_await has_room_.wait();
        const auto [error, count] = co_await socket_.async_read_some(asio::buffer(buffer), as_result);
        if (error)
            break;
        std::string_view bytes(buffer.data(), count);
        while (const auto code = decoder.next(bytes))
            codes::append_reply(*code, replies_);
        has_replies_.notify();
    }
    if (const auto code = decoder.finish())
        codes::append_reply(*code, replies_);
    all_read_ = true;
    has_replies_.notify();
}

awaitable<> client::write_replies()
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
    // Nobody will take what has gathered: the reader must neither wait for room nor read on.
    replies_.clear();
    close();
    has_room_.notify();
}

// The reader or the writer always waits for the socket, so both get to know.
void client::close()
{
    error_code ignored;
    socket_.close(ignored);
}

} // namespace causeway::backend
