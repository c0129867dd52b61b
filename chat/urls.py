"""Paths below /v1/."""

from django.urls import path

from chat.api import FeedbackView

urlpatterns = [path("feedback", FeedbackView.as_view(), name="feedback")]
