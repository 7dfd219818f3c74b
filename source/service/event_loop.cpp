#include "service/event_loop.hpp"

#include "net/rethrow.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <utility>

namespace causeway::service {
namespace {

using any_handler = std::variant<code_lookup, payment_relay>;

any_handler handler_for(upstream::pool& pool, const std::optional<iso8583::settings>& payments)
{
    if (payments)
        return payment_relay(pool, *payments);
    return code_lookup(pool);
}

http::handler& interface_of(any_handler& handler)
{
    return std::visit([](http::handler& any) -> http::handler& { return any; }, handler);
}

} // namespace

event_loop::event_loop(const tcp::endpoint& listen, net::port_sharing sharing, const upstream::pool_settings& upstream,
                       const http::time_limits& times, shared_limits& limits, net::tls_context tls,
                       const std::optional<iso8583::settings>& payments)
    : pool_(io_, upstream, limits.pending)
    , handler_(handler_for(pool_, payments))
    , server_(net::listen(io_, listen, sharing), interface_of(handler_), times, limits.connections)
{
    server_.use_tls(std::move(tls));
}

void event_loop::run()
{
    asio::co_spawn(io_, serve(), net::rethrow);
    io_.run();
}

awaitable<> event_loop::serve()
{
    pool_.start();
    co_await server_.run();
    pool_.stop();
    if (access_log_)
        access_log_->flush();
}

void event_loop::log_accesses(access_writer& writer, std::shared_ptr<access_file> file, log_format format)
{
    asio::post(io_, [this, &writer, file = std::move(file), format] {
        if (file && !access_log_)
            access_log_.emplace(writer, file, format);
        else if (file)
            access_log_->use(file, format);
        else if (access_log_)
            access_log_->flush();
        logs_accesses_ = file != nullptr;
        choose_recorder();
    });
}

void event_loop::watch(bool on)
{
    asio::post(io_, [this, on] {
        if (on)
            sampler_.emplace();
        else
            sampler_.reset();
        choose_recorder();
    });
}

void event_loop::choose_recorder()
{
    auto* const log = logs_accesses_ ? &*access_log_ : nullptr;
    auto* const sampler = sampler_ ? &*sampler_ : nullptr;
    if (sampler != nullptr)
        sampler->pass_on_to(log);
    server_.record_accesses(sampler != nullptr ? static_cast<http::access_recorder*>(sampler) : log);
    pool_.observe(sampler);
}

void event_loop::fetch_happenings(admin::happenings& room, std::function<void()> done)
{
    asio::post(io_, [this, &room, done = std::move(done)] {
        if (!sampler_)
            return;
        sampler_->take(room);
        done();
    });
}

void event_loop::expect_request(std::string id)
{
    asio::post(io_, [this, id = std::move(id)] {
        if (sampler_)
            sampler_->expect(id);
    });
}

void event_loop::forget_request(std::string id)
{
    asio::post(io_, [this, id = std::move(id)] {
        if (sampler_)
            sampler_->forget(id);
    });
}

void event_loop::apply(const upstream::pool_settings& upstream, const http::time_limits& times,
                       const net::tls_context& tls)
{
    asio::post(io_, [this, upstream, times, tls] {
        pool_.apply(upstream);
        server_.apply(times);
        server_.use_tls(tls);
    });
}

void event_loop::report(admin::loop_figures& room, std::function<void()> done)
{
    asio::post(io_, [this, &room, done = std::move(done)] {
        room = figures();
        done();
    });
}

void event_loop::drain(net::sockets_of_port others)
{
    asio::post(io_, [this, others] { server_.drain(others); });
}

void event_loop::cut()
{
    asio::post(io_, [this] {
        requests_cut_ += server_.cut();
        pool_.stop();
    });
}

} // namespace causeway::service
