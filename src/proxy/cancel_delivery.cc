#include "proxy/cancel_delivery.h"

#include "wire/startup.h"

namespace pgweir::proxy {

void CancelDelivery::start(LoginDesk& desk, DeliverCancel& order, base::Instant now) {
  auto delivery = std::make_shared<CancelDelivery>(desk, order);
  delivery->id_ = desk.io().open(delivery->endpoint_);
  desk.attach(delivery->id_, delivery, base::deadline(now, desk.options().cancel_timeout));
}

CancelDelivery::CancelDelivery(LoginDesk& desk, DeliverCancel& order)
    : desk_(desk),
      token_(order.token),
      plan_(std::move(order.plan)),
      endpoint_(std::move(order.endpoint)),
      is_secured_(order.is_secured),
      key_(std::move(order.key)) {}

void CancelDelivery::handle_opened(base::Instant) {
  if (!is_secured_) {
    send_cancel();
  } else if (plan_->database.tls.negotiation == TlsNegotiation::Direct) {
    start_tls();
  } else {
    base::ByteBuffer out;
    wire::encode_ssl_request(out);
    desk_.io().try_send(id_, out);
  }
}

void CancelDelivery::start_tls() {
  const bool is_direct = plan_->database.tls.negotiation == TlsNegotiation::Direct;
  desk_.io().start_tls(id_, {.role = base::TlsRequest::Role::Connect,
                             .setup = plan_->database.tls_setup,
                             .host = endpoint_.host,
                             .is_direct = is_direct});
}

void CancelDelivery::handle_secured(const base::TlsInfo&, base::Instant) { send_cancel(); }

void CancelDelivery::handle_bytes(base::Bytes bytes, base::Instant) {
  // Behind the request itself a server says nothing; before it only the answer to SSLRequest.
  if (is_sent_) return;
  if (bytes.size() == 1 && static_cast<char>(bytes.front()) == 'S') {
    start_tls();
    return;
  }
  // The key of an encrypted session is not sent in the clear.
  conclude(true);
}

void CancelDelivery::send_cancel() {
  base::ByteBuffer out;
  wire::encode_cancel_request(out, key_);
  is_sent_ = desk_.io().try_send(id_, out) == out.size();
}

void CancelDelivery::handle_closed(base::CloseCause cause, std::string_view, base::Instant) {
  conclude(cause == base::CloseCause::Eof || !is_sent_);
}

void CancelDelivery::handle_deadline(base::Instant) { conclude(!is_sent_); }

// What was never sent cannot strike any more, which is as good as a confirmation.
void CancelDelivery::conclude(bool is_confirmed) {
  desk_.detach(id_);
  desk_.io().close(id_);
  auto delivered = std::make_unique<CancelDelivered>();
  delivered->token = token_;
  delivered->is_confirmed = is_confirmed;
  desk_.io().hand_over(base::ConnectionId::None, mailbox_of(token_), std::move(delivered));
}

}  // namespace pgweir::proxy
